"""The inbox in a real browser: its count and rows come and go by themselves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.servers.installation import Installation


def test_questions_come_and_go_on_every_open_page(
    install: Callable[..., Installation], browser: Browser, tmp_path: Path
) -> None:
    server = install(PERDURE_APPS="tests.e2e.asking_app").start()
    context = browser.new_context(base_url=server.base_url)
    pages: list[Page] = [context.new_page(), context.new_page()]
    troubles: list[str] = []
    for page in pages:
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    elsewhere, inbox = pages
    elsewhere.goto(server.one_time_link)
    elsewhere.goto("/jobs/")
    inbox.goto("/inbox/")
    expect(inbox.get_by_text("Nothing waits for you.")).to_be_visible()
    for page in pages:
        expect(page.locator("[data-inbox]")).to_have_attribute("data-line", "open")
        expect(page.locator(".nav .count")).to_have_count(0)

    question = _ask(server, tmp_path)
    for page in pages:
        expect(page.locator(".nav .count")).to_have_text("1")
    row = inbox.get_by_role("link", name="Go on?")
    expect(row).to_be_visible()
    row.focus()

    _ask(server, tmp_path)
    expect(inbox.get_by_role("link", name="Go on?")).to_have_count(2)
    assert inbox.evaluate("document.activeElement.textContent") == "Go on?"  # the row that was there is still the same

    answer = {"decision": "deny", "digest": question["digest"]}
    assert server.request("POST", f"/api/questions/{question['id']}/answer/", json=answer).status_code == 200
    for page in pages:
        expect(page.locator(".nav .count")).to_have_text("1")
    expect(inbox.get_by_text("deny")).to_be_visible()
    context.close()
    assert not troubles


def _ask(server: Installation, folder: Path) -> dict[str, Any]:
    """A question that waits for an administrator: its run has no team, and nobody's owner is asked."""
    run_id = server.start_run("decide", {"path": str(folder / "went-on"), "starter_may_answer": True})
    server.wait_for_status(run_id, "waiting")
    found: dict[str, Any] = server.request("GET", f"/api/questions/?run={run_id}").json()["results"][0]
    return found
