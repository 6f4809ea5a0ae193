"""What a person does to a run in a real browser: cancel it, fork it, and follow it where nothing live gets through."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.opening import OpenPage
from tests.servers.installation import Installation

BLOCKED = """
window.WebSocket = class { constructor() { throw new Error("blocked"); } };
window.EventSource = class { constructor() { throw new Error("blocked"); } };
"""


def test_a_cancel_on_a_phone_says_what_stops_and_how_far_it_has_come(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    run_id = server.start_run("two-children", {"path": str(tmp_path / "never")})
    page = open_page(f"/runs/{run_id}/", viewport={"width": 390, "height": 844})
    expect(page.get_by_text("Waiting for a child run of hold")).to_be_visible()
    page.get_by_role("link", name="Cancel run").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("One child run is cancelled too.")).to_be_visible()
    dialog.get_by_label("Reason").fill("wrong folder")
    dialog.get_by_role("button", name="Cancel run").click()
    stages = page.locator(".stages li")
    expect(stages.nth(0)).to_contain_text("By admin. Reason: wrong folder")
    expect(stages.nth(1)).to_contain_text("Acknowledged")
    expect(stages.nth(2)).to_contain_text("2 of 2 child runs have ended.")
    expect(stages.nth(2)).to_contain_text("Stopped")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_role("row", name=re.compile("Cancelled it"))).to_contain_text("wrong folder")


def test_a_run_is_forked_with_another_input_by_keyboard(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    run_id = server.start_run("append-lines", {"path": str(tmp_path / "lines"), "steps": 3})
    server.wait_for_status(run_id, "completed")
    page = open_page(f"/runs/{run_id}/")
    page.get_by_text("More", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Fork from a step").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Begin again at step").select_option("line-2")
    expect(page.get_by_text("1 recorded step before it is kept")).to_be_visible()
    page.get_by_label("Another input").check()
    page.get_by_label("Steps").fill("5")
    page.get_by_role("button", name="Fork the run").click()
    expect(page.get_by_text("This is the fork. It begins again at step line-2.")).to_be_visible()
    expect(page.locator("main")).to_have_attribute("data-run-status", "completed")
    page.get_by_role("link", name="Tree").click()
    expect(page.locator(".branch.here")).to_contain_text("fork at line-2")
    written = (tmp_path / "lines").read_text().split()
    assert written == [f"line-{number}" for number in (1, 2, 3, 2, 3, 4, 5)]


def test_a_recorded_result_is_changed_looked_at_and_used_by_the_fork(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    run_id = server.start_run("append-lines", {"path": str(tmp_path / "lines"), "steps": 3})
    server.wait_for_status(run_id, "completed")
    page = open_page(f"/runs/{run_id}/fork/?step=line-3", viewport={"width": 390, "height": 844})
    page.get_by_label("Change the result of").select_option("line-2")
    page.get_by_role("button", name="Change it").click()
    result = page.get_by_label("Result of line-2", exact=True)
    expect(result).to_have_value('"line-2"')
    result.fill('"two"')
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("nothing is started yet")).to_be_visible()
    does = page.get_by_role("region", name="What the fork does")
    expect(does.get_by_role("definition")).to_have_text(["line-1", "line-2", "line-3, and whatever follows"])
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Fork the run").click()
    expect(page.get_by_text("This is the fork. It begins again at step line-3.")).to_be_visible()
    expect(page.locator("main")).to_have_attribute("data-run-status", "completed")
    expect(page.get_by_text("by admin")).to_be_visible()
    assert (tmp_path / "lines").read_text().split() == ["line-1", "line-2", "line-3", "line-3"]


def test_a_page_without_any_live_line_asks_again_and_says_so(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run_id = server.start_run("hold", {"path": str(gate)})
    page = open_page(f"/runs/{run_id}/log/", script=BLOCKED)
    main = page.locator("main")
    expect(main).to_have_attribute("data-transport", "poll")
    expect(page.get_by_text("Live line blocked: asking every 2 seconds")).to_be_visible()
    gate.touch()
    run = server.wait_for_status(run_id, "completed")
    expect(main).to_have_attribute("data-run-status", "completed")
    expect(page.get_by_text("Completed after 1 step.")).to_be_visible()
    rows = page.locator('[data-at="events"] [data-sequence]')
    expect(rows).to_have_count(run["last_sequence"])
