"""Home in a browser: it shows what changes without a reload, and says when it cannot be told."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.opening import OpenPage
from tests.servers.installation import Installation


@pytest.fixture
def waiting(server: Installation) -> Iterator[str]:
    """A run of the reader's that goes on until it is cancelled."""
    run_id = server.start_run("countdown", {"start": 10_000})
    yield run_id
    server.request("POST", f"/api/runs/{run_id}/cancel/", json={})


def test_a_run_that_is_started_elsewhere_appears_and_leads_back(
    server: Installation, open_page: OpenPage, waiting: str
) -> None:
    page = open_page("/")
    mine = page.get_by_role("region", name=re.compile("Go back to your run"))
    expect(mine.locator(f'[data-key="{waiting}"]')).to_be_visible()
    other = server.start_run("countdown", {"start": 10_000})
    row = mine.locator(f'[data-key="{other}"]')
    expect(row).to_be_visible()
    server.request("POST", f"/api/runs/{other}/cancel/", json={})
    expect(row).to_have_count(0)
    mine.locator(f'[data-key="{waiting}"]').get_by_role("link", name=re.compile("Go back to countdown")).click()
    expect(page).to_have_url(re.compile(f"/runs/{waiting}/"))


def test_without_the_live_line_it_asks_and_says_so(server: Installation, open_page: OpenPage, waiting: str) -> None:
    def block(page: Page) -> None:
        page.route_web_socket("**/ws/runs/**", lambda socket: socket.close())

    page = open_page("/", prepare=block, quiet=True)
    expect(page.get_by_role("status").filter(has_text="asking every 5 seconds")).to_be_visible()
    other = server.start_run("countdown", {"start": 10_000})
    expect(page.locator(f'[data-key="{other}"]').first).to_be_visible()
    server.request("POST", f"/api/runs/{other}/cancel/", json={})


@pytest.mark.parametrize("path", ["/", "/workers/", "/usage/?days=7"])
def test_overviews_fit_a_phone_and_open_their_data_by_keyboard(open_page: OpenPage, waiting: str, path: str) -> None:
    options: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}
    page = open_page(path, **options)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for fold in page.get_by_role("main").locator("summary").all()[:1]:
        fold.focus()
        page.keyboard.press("Enter")
        expect(page.locator("details[open]").first).to_be_visible()
