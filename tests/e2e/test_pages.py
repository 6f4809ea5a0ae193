"""The pages in a real browser, on a real server with a real worker."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.e2e.opening import OpenPage
from tests.servers.installation import Installation

ENDED = re.compile("completed|failed|cancelled")


def sequences(page: Page) -> list[int]:
    found: list[int] = page.locator('[data-at="events"] [data-sequence]').evaluate_all(
        "rows => rows.map(row => Number(row.dataset.sequence))"
    )
    return found


def expect_whole(page: Page, server: Installation, run_id: str) -> dict[str, Any]:
    """The page shows the run's end; its log holds every recorded sequence exactly once, in order."""
    run = server.wait_for_status(run_id, "completed", "failed", "cancelled", within=90)
    main = page.locator("main")
    expect(main).to_have_attribute("data-run-status", run["status"])
    expect(main).to_have_attribute("data-last-sequence", str(run["last_sequence"]))
    if main.get_attribute("data-tab") == "log":
        assert sequences(page) == list(range(1, run["last_sequence"] + 1))
    return run


def expect_followed(page: Page, transport: str = "socket") -> None:
    """What the run does from now on, the page hears of by itself."""
    expect(page.locator("main")).to_have_attribute("data-transport", transport)
    expect(page.locator("main")).to_have_attribute("data-line", "open")


def begin(server: Installation, run_id: str) -> None:
    answer = server.request("POST", f"/api/runs/{run_id}/signals/", json={"name": "begin"})
    assert answer.status_code == 201, answer.text


def stream_text(page: Page, step: str = "words") -> str:
    return page.locator(f'[data-stream="{step}"] .stream-text').text_content() or ""


def test_a_job_is_started_by_its_form_and_watched_to_its_end(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    page = open_page("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Start").click()
    page.get_by_role("link", name="Start stream-words", exact=True).click()
    page.get_by_label("Words").fill("30")
    page.get_by_label("Pause seconds").fill("0.03")
    page.get_by_label("Hold at").fill("20")
    page.get_by_label("Gate").fill(str(gate))
    page.get_by_role("button", name="Start the run").click()
    expect(page).to_have_url(re.compile(r"/runs/[0-9a-f-]{36}/$"))
    expect_followed(page)
    gate.touch()
    run = expect_whole(page, server, page.url.rstrip("/").rsplit("/", 1)[1])
    assert stream_text(page) == run["output"]
    expect(page.get_by_text("Completed after 1 step.")).to_be_visible()
    expect(page.get_by_role("link", name="Start again")).to_be_visible()
    page.get_by_role("link", name="Steps").click()
    page.locator('a[data-step="words"]').click()
    expect(page.locator("[data-step-output]")).to_contain_text("a1w29")


def test_text_survives_reloads_in_the_middle_of_a_stream(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    job = {"words": 60, "pause_seconds": 0.05, "hold_at": 50, "gate": str(gate)}
    run_id = server.start_run("stream-words", job)
    page = open_page(f"/runs/{run_id}/")
    for word in (10, 25, 40):
        expect(page.locator(".stream-text")).to_contain_text(f"a1w{word} ")
        page.reload()
        expect(page.locator(".stream-text")).to_contain_text("".join(f"a1w{number} " for number in range(word)))
        assert stream_text(page).startswith("a1w0 a1w1 ")
    gate.touch()
    run = expect_whole(page, server, run_id)
    assert stream_text(page) == run["output"]
    page.reload()
    assert run["output"] in (page.locator("main").text_content() or "")


def test_a_retried_stream_shows_the_second_attempt_alone(server: Installation, open_page: OpenPage) -> None:
    job = {"words": 20, "pause_seconds": 0.05, "fail_after": 15, "on_signal": True}
    run_id = server.start_run("stream-words", job)
    page = open_page(f"/runs/{run_id}/")
    expect_followed(page)
    begin(server, run_id)
    run = expect_whole(page, server, run_id)
    assert stream_text(page) == run["output"]
    assert "a1w" not in stream_text(page)
    page.get_by_role("link", name="Steps").click()
    expect(page.locator('[data-step="words"]')).to_contain_text("2 attempts")


def test_the_children_of_a_run_are_shown_as_they_end(server: Installation, open_page: OpenPage, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run_id = server.start_run("two-children", {"path": str(gate)})
    page = open_page(f"/runs/{run_id}/tree/")
    children = page.locator('[data-part="tree"] ul ul li')
    expect(children.filter(has_text="echo").filter(has_text="Completed")).to_be_visible()
    expect(children.filter(has_text="hold")).not_to_contain_text("Completed")
    gate.touch()
    expect_whole(page, server, run_id)
    expect(children.filter(has_text="hold").filter(has_text="Completed")).to_be_visible()


def test_a_run_is_cancelled_with_a_reason_by_keyboard(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    run_id = server.start_run("hold", {"path": str(tmp_path / "never")})
    page = open_page(f"/runs/{run_id}/")
    expect(page.get_by_text("Running step 1: wait.")).to_be_visible()
    page.get_by_role("link", name="Cancel run").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("Reason").fill("wrong folder")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The run is cancelled.")).to_be_visible()
    page.get_by_role("link", name="Log").click()
    expect(page.locator('[data-type="run:cancel"]')).to_contain_text("wrong folder")
    run = expect_whole(page, server, run_id)
    assert run["status"] == "cancelled"


def test_escape_closes_the_dialog_and_cancels_nothing(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    run_id = server.start_run("hold", {"path": str(tmp_path / "gate")})
    page = open_page(f"/runs/{run_id}/")
    page.get_by_role("link", name="Cancel run").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    (tmp_path / "gate").touch()
    assert expect_whole(page, server, run_id)["status"] == "completed"


def test_a_lost_socket_comes_back_by_itself_and_nothing_is_missed_or_doubled(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    gate = tmp_path / "gate"
    job = {"path": str(tmp_path / "lines"), "steps": 60, "pause_seconds": 0.06, "hold_at": 40, "gate": str(gate)}
    run_id = server.start_run("append-lines", job)
    socket = re.compile("/ws/runs/")
    page = open_page(f"/runs/{run_id}/log/", prepare=lambda page: page.route_web_socket(socket, through))
    for line in (10, 25):
        expect(page.locator('[data-type="step:complete"]', has_text=f"line-{line}")).to_be_attached()
        sockets[-1].close(code=1012)
        expect(page.locator("#line-pill")).to_contain_text(re.compile(r"Connected again, resumed at #\d+"))
    assert len(sockets) >= 3
    gate.touch()
    expect_whole(page, server, run_id)


def test_a_page_without_sockets_follows_over_server_sent_events(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    run_id = server.start_run("stream-words", {"words": 60, "pause_seconds": 0.05, "on_signal": True})
    blocked = "window.WebSocket = class { constructor() { throw new Error('blocked'); } };"
    page = open_page(f"/runs/{run_id}/", script=blocked)
    expect_followed(page, "events")
    begin(server, run_id)
    expect(page.locator(".stream-text")).to_contain_text("a1w20 ")
    run = expect_whole(page, server, run_id)
    assert stream_text(page) == run["output"]


def test_an_open_page_goes_on_after_the_whole_server_was_killed(
    install: Callable[..., Installation], browser: Browser, tmp_path: Path
) -> None:
    server = install().start()
    port = server.base_url.rsplit(":", 1)[1]
    gate = tmp_path / "gate"
    job = {"path": str(tmp_path / "lines"), "steps": 50, "pause_seconds": 0.1, "hold_at": 30, "gate": str(gate)}
    run_id = server.start_run("append-lines", job)
    page = browser.new_page()
    page.goto(server.one_time_link)
    page.goto(f"{server.base_url}/runs/{run_id}/log/")
    expect(page.locator('[data-type="step:complete"]', has_text="line-20")).to_be_attached()
    server.kill_tree()
    expect(page.locator("#line-pill")).to_contain_text("Connection lost")
    gate.touch()
    server.start("--no-demo", "--port", port)
    expect_whole(page, server, run_id)
    assert len(set((tmp_path / "lines").read_text().split())) == 50
    page.close()


def test_the_list_tells_of_new_runs_by_itself_and_keeps_the_focus(server: Installation, open_page: OpenPage) -> None:
    first = server.start_run("echo", {"text": "one"})
    server.wait_for_status(first, "completed")
    page = open_page("/runs/")
    expect(page.locator("[data-run-list]")).to_have_attribute("data-line", "open")
    page.locator(f'[data-key="{first}"] a').focus()
    second = server.start_run("echo", {"text": "two"})
    show = page.get_by_role("button", name=re.compile("new runs?: show"))
    expect(show).to_be_visible()
    expect(page.locator(f'[data-key="{first}"] a')).to_be_focused()
    show.click()
    expect(page.locator(f'[data-key="{second}"]')).to_have_attribute("data-run-status", "completed")


def test_a_double_click_on_start_starts_one_run(server: Installation, open_page: OpenPage) -> None:
    def count() -> int:
        return len(server.request("GET", "/api/runs/?job=echo&limit=200").json()["results"])

    before = count()
    page = open_page("/start/echo/")
    page.get_by_role("button", name="Start the run").dblclick()
    expect(page).to_have_url(re.compile("/runs/"))
    assert count() == before + 1


def test_a_wrong_value_is_told_beside_its_field(open_page: OpenPage) -> None:
    page = open_page("/start/append-lines/", quiet=True)
    page.get_by_role("button", name="Start the run").click()
    expect(page.get_by_role("alert")).to_contain_text("was not started")
    expect(page.locator(".field.wrong")).to_contain_text("This field is required.")


def test_a_schedule_is_made_by_its_form_and_started_by_hand(open_page: OpenPage) -> None:
    page = open_page("/schedules/new/echo/")
    cron, at = page.get_by_label("Cron expression"), page.get_by_label("Date and time")
    expect(at).to_be_hidden()
    page.get_by_label("Once").check()
    expect(cron).to_be_hidden()
    expect(at).to_be_visible()
    page.get_by_label("Again and again").check()
    cron.fill("0 3 * * *")
    page.get_by_label("Name", exact=True).fill("nightly echo")
    page.get_by_role("button", name="Make the schedule").click()
    expect(page.get_by_text("At 03:00 every day, UTC")).to_be_visible()
    page.get_by_role("button", name="Run now").click()
    expect(page.locator("main")).to_have_attribute("data-run-status", "completed")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_its_window(server: Installation, open_page: OpenPage, width: int, scheme: str) -> None:
    run_id = server.start_run("fail", {"text": "an_error_without_any_blank_" * 12})
    server.wait_for_status(run_id, "failed")
    options: dict[str, Any] = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    paths = [
        "/",
        "/runs/",
        "/jobs/",
        "/schedules/",
        "/schedules/new/",
        "/schedules/new/append-lines/",
        "/start/append-lines/",
        f"/runs/{run_id}/",
        f"/runs/{run_id}/steps/",
        f"/runs/{run_id}/log/",
        f"/runs/{run_id}/tree/",
        f"/runs/{run_id}/audit/",
        f"/runs/{run_id}/fork/",
        f"/runs/{run_id}/cancel/",
        f"/runs/{run_id}/step/?name=raise",
    ]
    page = open_page("/", **options)
    for path in paths:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
