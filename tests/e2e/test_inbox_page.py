"""The inbox in a real browser: its count and rows come and go by themselves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

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

    _ask(server, tmp_path, body="A line of many.\n\n" * 60)
    elsewhere.close()
    phone = browser.new_context(
        base_url=server.base_url, storage_state=context.storage_state(), viewport={"width": 390, "height": 844},
        has_touch=True, is_mobile=True,
    )  # fmt: skip
    _approve_on_a_phone(phone.new_page())
    expect(inbox.get_by_role("link", name="Go on?")).to_have_count(3)  # one waits, two are closed
    inbox.keyboard.press("j")
    inbox.keyboard.press("Enter")
    expect(inbox.get_by_role("button", name="Approve")).to_be_visible()
    _ask_while_the_socket_is_blocked(phone, server, tmp_path)
    for opened in (phone, context):
        opened.close()
    assert not troubles


def _ask_while_the_socket_is_blocked(phone: BrowserContext, server: Installation, folder: Path) -> None:
    page = phone.new_page()
    page.add_init_script("window.WebSocket = class { constructor() { throw new DOMException('blocked') } }")
    page.goto("/inbox/")
    expect(page.get_by_text("The live line is lost: asking every 5 seconds.")).to_be_visible()
    rows = page.locator(".inbox-row").count()
    _ask(server, folder)
    expect(page.locator(".inbox-row")).to_have_count(rows + 1)
    expect(page.locator(".nav .count")).to_have_text(str(rows + 1))


def _approve_on_a_phone(page: Page) -> None:
    """The whole row leads to the question, whose buttons stand under the thumb however long it is."""
    page.goto("/inbox/")
    row = page.locator(".inbox-row").last
    row.tap(position={"x": 300, "y": 40})
    approve = page.get_by_role("button", name="Approve")
    expect(approve).to_be_in_viewport(ratio=1)
    box = approve.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["y"] > 844 / 2
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.documentElement.scrollHeight") > 2 * 844
    approve.tap()
    expect(page.get_by_text("Decided: approve")).to_be_visible()
    expect(page.get_by_text("Its run has")).to_be_visible()
    expect(page.get_by_role("link", name="Next: Go on?")).to_be_visible()


def _ask(server: Installation, folder: Path, body: str = "") -> dict[str, Any]:
    """A question that waits for an administrator: its run has no team, and nobody's owner is asked."""
    run_id = server.start_run("decide", {"path": str(folder / "went-on"), "starter_may_answer": True, "body": body})
    server.wait_for_status(run_id, "waiting")
    found: dict[str, Any] = server.request("GET", f"/api/questions/?run={run_id}").json()["results"][0]
    return found
