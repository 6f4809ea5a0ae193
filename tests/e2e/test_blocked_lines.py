"""Pages whose sockets and server-sent events are blocked say so and ask, and lose nothing when the socket is back."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, Route, WebSocketRoute, expect

from tests.e2e.opening import OpenPage
from tests.servers.installation import Installation

BLOCKED = "Live line blocked: asking every 2 seconds"
LOST = "asking every 5 seconds"


class Network:
    """Between the page and the server; blocked, it takes sockets and cuts them, and refuses server-sent events."""

    def __init__(self, is_blocked: bool = True) -> None:
        self.is_blocked = is_blocked
        self._open: list[WebSocketRoute] = []

    def guard(self, page: Page) -> None:
        page.route_web_socket(re.compile("/ws/"), self._socket)
        page.route(re.compile("/events"), self._events)

    def _socket(self, socket: WebSocketRoute) -> None:
        if self.is_blocked:
            socket.close()
        else:
            socket.connect_to_server()
            self._open.append(socket)

    def cut(self) -> None:
        """From now on blocked."""
        self.is_blocked = True
        for socket in self._open:
            socket.close(code=1012)

    def _events(self, route: Route) -> None:
        is_stream = "text/event-stream" in route.request.headers.get("accept", "")
        if self.is_blocked and is_stream:
            route.abort()
        else:
            route.continue_()


def words(count: int) -> str:
    return "".join(f"a1w{number} " for number in range(count))


def test_a_stream_grows_while_the_page_asks_and_goes_on_over_the_socket_that_is_back(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    gates = [tmp_path / "first", tmp_path / "second"]
    job = {"words": 90, "pause_seconds": 0.02, "hold_at": 40, "gate": str(gates[0])}
    run_id = server.start_run("stream-words", job)
    network = Network()
    page = open_page(f"/runs/{run_id}/", prepare=network.guard, quiet=True)
    text = page.locator('[data-stream="words"] .stream-text')
    expect(page.get_by_text(BLOCKED)).to_be_visible()
    expect(text).to_have_text(words(40))
    talk = open_page(f"/runs/{run_id}/conversation/", prepare=network.guard, quiet=True)
    expect(talk.locator(".stream-text")).to_have_text(words(40))
    network.is_blocked = False
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("main")).to_have_attribute("data-transport", "socket")
    expect(page.get_by_text(BLOCKED)).to_be_hidden()
    expect(text).to_have_text(words(40))
    gates[0].touch()
    run = server.wait_for_status(run_id, "completed")
    for shown in (page, talk):  # one over its socket, one by asking
        expect(shown.locator("main")).to_have_attribute("data-run-status", "completed")
        expect(shown.locator("#line-pill")).to_be_hidden()
    assert text.text_content() == run["output"] == words(90)
    expect(talk.get_by_text("a1w89")).to_have_count(1)


def test_a_line_that_is_blocked_for_a_while_leaves_each_event_once(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    job = {"path": str(tmp_path / "lines"), "steps": 12, "pause_seconds": 0.01, "hold_at": 8, "gate": str(gate)}
    run_id = server.start_run("append-lines", job)
    network = Network(is_blocked=False)
    page = open_page(f"/runs/{run_id}/log/", prepare=network.guard, quiet=True)
    main = page.locator("main")
    expect(main).to_have_attribute("data-line", "open")
    expect(main).to_have_attribute("data-transport", "socket")
    network.cut()
    expect(page.get_by_text(BLOCKED)).to_be_visible()
    network.is_blocked = False
    expect(page.get_by_text("Connected again")).to_be_visible()  # by itself
    expect(main).to_have_attribute("data-transport", "socket")
    gate.touch()
    last = server.wait_for_status(run_id, "completed")["last_sequence"]
    expect(main).to_have_attribute("data-last-sequence", str(last))
    assert _logged(page) == list(range(1, last + 1))


def _logged(page: Page) -> list[int]:
    rows = page.locator('[data-at="events"] [data-sequence]')
    found: list[int] = rows.evaluate_all("rows => rows.map(row => Number(row.dataset.sequence))")
    return found


def test_every_page_tells_of_a_question_by_asking_while_its_socket_is_blocked(
    server: Installation, open_page: OpenPage
) -> None:
    def counted(page: Page) -> Locator:
        return page.locator(".nav .count")

    pages = [open_page(path, prepare=Network().guard, quiet=True) for path in ("/jobs/", "/inbox/")]
    expect(pages[1].get_by_text(LOST)).to_be_visible()
    for page in pages:
        expect(counted(page)).to_have_count(0)
    run_id = server.start_run("expense", {"purpose": "desks", "items": ["Desk: 900.00"]})
    for page in pages:
        expect(counted(page)).to_have_text("1")
    expect(pages[1].get_by_role("link", name=re.compile("for desks spent on"))).to_be_visible()
    server.request("POST", f"/api/runs/{run_id}/cancel/", json={})
    for page in pages:
        expect(counted(page)).to_have_count(0)


def test_a_socket_that_is_swallowed_without_a_word_is_given_up(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    """Some networks neither refuse nor answer."""
    run_id = server.start_run("hold", {"path": str(tmp_path / "gate")})
    swallowed = "window.WebSocket = window.EventSource = class { addEventListener() {} send() {} close() {} };"

    def stop_time(page: Page) -> None:
        page.clock.install()

    page = open_page(f"/runs/{run_id}/log/", script=swallowed, prepare=stop_time)
    for _ in range(3):  # two sockets and the events
        page.clock.fast_forward(11_000)
        page.clock.fast_forward(2_000)
    expect(page.get_by_text(BLOCKED)).to_be_visible()
    (tmp_path / "gate").touch()
    expect(page.locator("main")).to_have_attribute("data-run-status", "completed")


def test_every_action_works_and_is_seen_on_pages_that_ask(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    def look(path: str) -> Page:
        return open_page(path, prepare=Network().guard, quiet=True)

    def act(page: Page, name: str, button: str | None = None) -> None:
        page.get_by_role("link", name=name).first.click()
        page.get_by_role("dialog").get_by_role("button", name=button or name).click()

    def becomes(status: str, *pages: Page) -> None:
        for page in pages:
            expect(page.locator("main")).to_have_attribute("data-run-status", status)

    job = {"path": str(tmp_path / "lines"), "steps": 2, "pause_seconds": 0.01, "hold_at": 1}
    run_id = server.start_run("append-lines", job | {"gate": str(tmp_path / "gate")})
    tabs = ["", "timeline/", "steps/", "state/", "questions/", "files/", "tree/", "log/", "audit/"]
    pages = [look(f"/runs/{run_id}/{tab}") for tab in tabs]
    for page in pages:
        expect(page.get_by_text(BLOCKED)).to_be_visible()
    first, audit = pages[0], pages[-1]
    act(first, "Pause")
    (tmp_path / "gate").touch()
    becomes("paused", *pages)
    expect(audit.locator("tbody tr")).to_have_count(2)
    act(first, "Resume")
    becomes("completed", *pages)
    expect(pages[2].locator('[data-step="line-2"]')).to_have_attribute("data-status", "completed")
    expect(audit.locator("tbody tr")).to_have_count(3)
    assert _logged(pages[7]) == list(range(1, server.run(run_id)["last_sequence"] + 1))

    _send_a_signal(server, look, becomes)
    failed = server.start_run("fail", {"text": "no"})
    last = server.wait_for_status(failed, "failed")["last_sequence"]
    page = look(f"/runs/{failed}/")
    act(page, "Retry", "Retry")
    expect(page.locator("main")).not_to_have_attribute("data-last-sequence", str(last))
    becomes("failed", page)
    _cancel_many(server, look)


def _send_a_signal(server: Installation, look: Callable[[str], Page], becomes: Callable[..., None]) -> None:
    waiting = server.start_run("stream-words", {"words": 5, "pause_seconds": 0.01, "on_signal": True})
    page, other = look(f"/runs/{waiting}/"), look(f"/runs/{waiting}/")
    becomes("waiting", page, other)
    page.get_by_text("More", exact=True).click()
    page.get_by_role("link", name="Send signal").click()
    page.get_by_label("Name").fill("begin")
    page.get_by_role("button", name="Send").click()
    becomes("completed", page, other)


def _cancel_many(server: Installation, look: Callable[[str], Page]) -> None:
    later = {"labels": {"batch": "asked"}, "run_at": "2099-01-01T00:00:00Z"}
    runs = [server.start_run("echo", {"text": "later"}, **later) for _ in range(3)]
    page, seen = (look("/runs/?label=batch%3Dasked") for _ in range(2))
    expect(seen.get_by_text(LOST)).to_be_visible()
    page.get_by_label("Choose every run on this page").check()
    page.get_by_role("button", name="Cancel runs…").click()
    page.get_by_role("button", name="Cancel 3 runs").click()
    expect(page.get_by_text("Cancelled 3 runs")).to_be_visible()
    expect(page.locator("main")).to_have_attribute("data-run-status", "completed")
    for run in runs:
        expect(seen.locator(f'[data-key="{run}"]')).to_contain_text("Cancelled")


def test_a_question_and_a_schedule_catch_up_while_their_pages_ask(server: Installation, open_page: OpenPage) -> None:
    run_id = server.start_run("expense", {"purpose": "lamps", "items": ["Lamp: 900.00"]})
    server.wait_for_status(run_id, "waiting")
    asked = server.request("GET", f"/api/questions/?run={run_id}").json()["results"][0]["id"]
    hourly = {"job": "echo", "input": {}, "name": "hourly", "cron": "0 * * * *"}
    made = server.request("POST", "/api/schedules/", json=hourly).json()
    question, writing, schedule, schedules = (
        open_page(path, prepare=Network().guard, quiet=True, viewport={"width": width, "height": 800})
        for path, width in (
            (f"/questions/{asked}/", 1280),
            (f"/questions/{asked}/", 390),
            (f"/schedules/{made['id']}/", 1280),
            ("/schedules/", 390),
        )
    )
    for page in (question, writing, schedule, schedules):
        expect(page.get_by_text(LOST)).to_be_visible()
    assert _lies_open(writing.get_by_role("button", name="Submit"))
    writing.get_by_label("Reason").first.fill("They were dark")
    server.request("POST", f"/api/runs/{run_id}/cancel/", json={})
    server.request("POST", f"/api/schedules/{made['id']}/pause/")
    for page in (question, writing):
        expect(page.locator(".head .badge")).to_have_text("Withdrawn")
    expect(question.locator("[data-answer]")).to_have_count(0)
    expect(writing.get_by_label("Reason").first).to_have_value("They were dark")  # what was written is not taken away
    for page in (schedule, schedules):
        expect(page.locator(".badge").first).to_have_text("Paused")
    schedule.get_by_role("button", name="Resume").click()
    expect(schedules.locator(".badge").first).not_to_have_text("Paused")


def _lies_open(button: Locator) -> bool:
    """Nothing lies over it, at its middle and near its edges."""
    return bool(
        button.evaluate(
            """button => {
              const { left, top, width, height } = button.getBoundingClientRect();
              return [0.05, 0.5, 0.95].every((share) =>
                button.contains(document.elementFromPoint(left + share * width, top + height / 2)));
            }"""
        )
    )
