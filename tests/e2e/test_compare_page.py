"""Two runs side by side in a real browser: a fork beside its origin."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.opening import OpenPage
from tests.servers.installation import Installation


def test_a_fork_is_laid_beside_its_origin_and_read_by_keyboard(server: Installation, open_page: OpenPage) -> None:
    origin = server.start_run("chat-agent", {"text": "Search the pages for leases"})
    server.wait_for_status(origin, "completed")
    wanted = {"step": "answer", "input": {"text": "Search the pages for events"}}
    fork = server.request("POST", f"/api/runs/{origin}/fork/", json=wanted).json()["id"]
    server.wait_for_status(fork, "completed")

    page = open_page(f"/runs/{origin}/compare/")
    page.get_by_role("region", name="Forks and origin").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Two runs side by side")).to_be_visible()
    assert page.url.endswith(f"/runs/{origin}/compare/{fork}/")
    expect(page.get_by_text("The runs first differ at step 2")).to_be_visible()
    first = page.locator(".compare-row[open]")
    expect(first).to_contain_text("First difference")
    expect(first.locator("pre.diff .add")).to_contain_text("events")

    row = page.locator(".compare-row", has_text="answer #2")
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(row.locator("pre.diff")).to_be_visible()
    row.get_by_role("button", name="Show side by side").click()
    expect(row.locator(".twin").first).to_be_visible()
    assert page.evaluate("document.activeElement.textContent") == "Show in one column"
    page.reload()
    expect(page.locator(".compare-row[open] .block").first).to_have_css("display", "grid")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("link", name="Differences").click()
    expect(page.get_by_text("the same", exact=True)).to_have_count(0)
