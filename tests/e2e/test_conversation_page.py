"""The Conversation tab in a real browser: what streams goes on over a reload, and what was discarded stays marked."""

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.opening import OpenPage
from tests.servers.installation import Installation


def text_of(page: Page) -> str:
    return page.locator('[data-turn="words"] .stream-text').text_content() or ""


def test_what_streams_goes_on_over_a_reload_and_a_discarded_attempt_stays_to_be_read(
    server: Installation, open_page: OpenPage, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    job = {"words": 40, "pause_seconds": 0.05, "fail_after": 20, "hold_at": 15, "gate": str(gate), "on_signal": True}
    run_id = server.start_run("stream-words", job)
    page = open_page(f"/runs/{run_id}/conversation/")
    expect(page.get_by_text("Nothing is said yet.")).to_be_visible()
    expect(page.locator("main")).to_have_attribute("data-line", "open")
    server.request("POST", f"/api/runs/{run_id}/signals/", json={"name": "begin"})
    turn = page.locator('[data-turn="words"]')
    expect(turn.locator(".stream-text")).to_contain_text("a1w14 ")
    page.reload()
    expect(turn.locator(".stream-text")).to_contain_text("a1w14 ")
    assert text_of(page).startswith("a1w0 a1w1 ")
    gate.touch()
    run = server.wait_for_status(run_id, "completed")
    expect(turn).to_have_attribute("data-status", "completed")
    expect(turn.locator("pre.text").last).to_have_text(run["output"])
    discarded = turn.locator(".discarded")
    expect(discarded).to_have_count(1)
    expect(discarded.locator("summary")).to_contain_text("Attempt 1 was discarded: RuntimeError")
    discarded.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(discarded.locator(".struck")).to_contain_text("a1w14 ")
    assert "a1w" not in (turn.locator("pre.text").last.text_content() or "")


def test_a_chat_stands_with_its_thinking_its_calls_and_their_results(server: Installation, open_page: OpenPage) -> None:
    run_id = server.start_run("chat-agent", {"text": "Search the pages for leases"})
    page = open_page(f"/runs/{run_id}/conversation/")
    server.wait_for_status(run_id, "completed")
    expect(page.locator("[data-turn][data-final]")).to_have_count(2)
    expect(page.get_by_text("Search the pages for leases")).to_be_visible()
    page.get_by_text("Thinking").first.click()
    expect(page.get_by_text("The pages are searched")).to_be_visible()
    call = page.locator(".call")
    expect(call).to_have_count(1)
    call.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(call.get_by_label("Arguments of search_pages")).to_contain_text("leases")
    expect(page.locator(".prose")).to_contain_text("These passages share most words")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
