"""The list of runs in a real browser: by keyboard, many at once, and still under the pointer."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.opening import OpenPage
from tests.servers.installation import Installation


@pytest.fixture
def batch() -> str:
    """A label of its own: the list of a test shows its own runs."""
    return uuid4().hex[:8]


def later(server: Installation, batch: str, text: str = "later") -> str:
    """A run that nobody takes before its time."""
    return server.start_run("echo", {"text": text}, labels={"batch": batch}, run_at="2099-01-01T00:00:00Z")


def ids(page: Page) -> list[str]:
    found: list[str] = page.locator("tbody [data-key]").evaluate_all("rows => rows.map(row => row.dataset.key)")
    return found


def test_runs_are_chosen_and_opened_by_keyboard(server: Installation, open_page: OpenPage, batch: str) -> None:
    runs = [later(server, batch) for _ in range(3)][::-1]
    page = open_page(f"/runs/?label=batch%3D{batch}")
    expect(page.locator("[data-run-list]")).to_have_attribute("data-line", "open")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.get_by_text("1 chosen")).to_be_visible()
    assert page.locator("[name=run]:checked").evaluate_all("boxes => boxes.map(box => box.value)") == [runs[1]]
    page.keyboard.press("/")
    page.keyboard.type("xj")  # letters in a field are letters
    expect(page.get_by_label("Search runs")).to_have_value("xj")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="echo").first.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/runs/{runs[0]}/"))


def test_all_that_match_are_cancelled_by_a_run_that_shows_its_progress(
    server: Installation, open_page: OpenPage, batch: str
) -> None:
    runs = [later(server, batch) for _ in range(3)]
    other = later(server, f"{batch}-other")
    page = open_page(f"/runs/?label=batch%3D{batch}")
    page.get_by_label("Choose every run on this page").check()
    page.get_by_label("All that match the filter").check()
    page.get_by_role("button", name="Cancel runs…").click()
    expect(page.get_by_role("heading", name="Cancel 3 runs")).to_be_visible()
    page.get_by_label("Reason").fill("Not needed")
    page.get_by_role("button", name="Cancel 3 runs").click()
    expect(page).to_have_url(re.compile(r"/runs/[0-9a-f-]{36}/$"))
    done = server.wait_for_status(page.url.rstrip("/").rsplit("/", 1)[1], "completed", "failed")
    assert (done["output"]["changed"], done["output"]["refused"]) == (3, 0)
    assert done["progress"]["message"] == "Cancelled 3 runs"
    expect(page.locator("main")).to_have_attribute("data-run-status", "completed")
    assert [server.run(run)["reason"] for run in runs] == ["Not needed"] * 3
    assert server.run(other)["status"] == "queued"


def test_rows_change_where_they_stand_and_new_ones_wait_to_be_asked_for(
    server: Installation, open_page: OpenPage, batch: str
) -> None:
    first, second = later(server, batch), later(server, batch)
    page = open_page(f"/runs/?label=batch%3D{batch}&status=queued")
    expect(page.locator("[data-run-list]")).to_have_attribute("data-line", "open")
    page.locator(f'[name=run][value="{second}"]').check()
    third = later(server, batch)
    server.request("POST", f"/api/runs/{second}/cancel/", json={})
    show = page.get_by_role("button", name="1 new run: show it")
    expect(show).to_be_visible()
    row = page.locator(f'[data-key="{second}"]')
    expect(row).to_contain_text("Does not fit the filter any more")
    expect(row.get_by_role("checkbox")).to_be_checked()
    assert ids(page) == [second, first]
    show.click()
    expect(page.locator(f'[data-key="{third}"]')).to_be_visible()
    expect(page.locator(f'[data-key="{second}"]')).to_have_count(0)
    assert ids(page) == [third, first]


def test_with_the_live_line_blocked_the_list_asks_and_says_so(
    server: Installation, open_page: OpenPage, batch: str
) -> None:
    run = later(server, batch)
    blocked = "window.WebSocket = class { constructor() { throw new Error('blocked'); } };"
    page = open_page(f"/runs/?label=batch%3D{batch}", script=blocked)
    expect(page.get_by_text("asking every 5 seconds")).to_be_visible()
    server.request("POST", f"/api/runs/{run}/cancel/", json={})
    expect(page.locator(f'[data-key="{run}"]')).to_contain_text("Cancelled")
