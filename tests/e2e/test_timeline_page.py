"""The Timeline and Steps tabs in a browser: live, by keyboard, and with many steps."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.opening import OpenPage
from tests.servers.installation import Installation


def test_a_timeline_grows_by_itself_and_opens_a_step_by_keyboard(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    job = {"path": str(tmp_path / "lines"), "steps": 4, "pause_seconds": 0.01, "hold_at": 3, "gate": str(gate)}
    run_id = server.start_run("append-lines", job)
    page = open_page(f"/runs/{run_id}/timeline/")
    lane = page.locator(".lane", has_text="line-2")
    expect(lane.locator(".part.working")).to_be_visible()
    expect(page.locator(".lane", has_text="line-4")).to_have_count(0)
    lane.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?step=line-2$"))
    drawer = page.get_by_role("complementary", name="line-2")
    expect(drawer.locator("[data-step-output]")).to_contain_text("line-2")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(lane.get_by_role("link")).to_be_focused()
    gate.touch()
    server.wait_for_status(run_id, "completed")
    expect(page.locator(".lane", has_text="line-4")).to_be_visible()
    page.get_by_role("link", name="Zoom in").click()
    expect(page).to_have_url(re.compile(r"zoom=250-750"))
    page.get_by_role("link", name="Whole run").click()
    expect(page).not_to_have_url(re.compile("zoom"))
    page.get_by_role("link", name="As a table").click()
    expect(page.get_by_role("cell", name="line-4")).to_be_visible()


@pytest.mark.parametrize("tab", ["timeline", "steps"])
def test_what_is_shown_and_focused_stays_until_the_rows_arrive(
    server: Installation, open_page: OpenPage, tmp_path: Path, tab: str
) -> None:
    run_id = server.start_run("append-lines", {"path": str(tmp_path / "lines"), "steps": 3, "pause_seconds": 0})
    server.wait_for_status(run_id, "completed")
    page = open_page(f"/runs/{run_id}/")
    held: list[Route] = []
    rows = re.compile(rf"/{tab}/rows")
    page.route(rows, lambda route: held.append(route))
    link = page.locator('main a[data-step="line-2"]')
    with page.expect_request(rows):
        page.goto(f"{server.base_url}/runs/{run_id}/{tab}/")
    page.set_viewport_size({"width": 700, "height": 500})
    link.focus()
    held.pop().continue_()
    expect(page.locator('[aria-posinset="1"]')).to_be_visible()
    expect(link).to_be_focused()
    with page.expect_request(rows):
        page.reload()
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="line-2").locator("[data-step-output]")).to_contain_text("line-2")
    held.pop().continue_()
    expect(page.locator('[aria-posinset="1"]')).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_focused()


def test_of_many_steps_only_those_in_sight_are_in_the_page_and_any_is_found(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    run_id = server.start_run("append-lines", {"path": str(tmp_path / "lines"), "steps": 300, "pause_seconds": 0})
    server.wait_for_status(run_id, "completed")
    page = open_page(f"/runs/{run_id}/steps/")
    rows = page.locator("a.step-row")
    expect(page.locator('[data-at="pages"]')).to_have_count(0)
    expect(page.get_by_text("300 of 300 done")).to_be_visible()
    assert rows.count() < 100
    page.keyboard.press("End")
    expect(page.locator('a[data-step="line-300"]')).to_be_visible()
    page.keyboard.press("Home")
    page.get_by_label("Find steps by name").fill("line-27")
    expect(page.get_by_text("11 of 300 shown")).to_be_visible()
    page.locator('a[data-step="line-270"]').click()
    expect(page).to_have_url(re.compile(r"q=line-27&step=line-270"))
    expect(page.get_by_role("complementary", name="line-270")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("complementary", name="line-270")).to_be_hidden()
