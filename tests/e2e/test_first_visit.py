"""From what `make run` prints to a run that was approved: by visible labels alone, in at most 8 clicks."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.servers.installation import Installation

pytestmark = pytest.mark.timeout(400)  # a server is started in it
MAX_CLICKS = 8


@pytest.fixture
def printed(on_postgresql: bool) -> Iterator[str]:
    """The sign-in link that the first start prints, with the demonstration under way as `make run` has it."""
    installation = Installation(postgresql=on_postgresql, PERDURE_APPS="")
    try:
        yield installation.start("--host", "127.0.0.1").one_time_link
    finally:
        left = installation.remove()
    assert not left


@dataclass
class Visitor:
    """Somebody who sees labels only, and whose clicks are counted."""

    page: Page
    clicks: int = 0

    def click(self, found: Locator) -> None:
        found.first.click()
        self.clicks += 1

    def reads_what_to_do(self) -> None:
        """The page says what to do next, where it can be seen."""
        hint = self.page.locator("p[data-next]:visible, span[data-next]:visible")
        expect(hint).to_have_count(1)
        expect(hint).not_to_be_empty()


def test_a_first_visitor_reaches_an_approved_run_in_at_most_8_clicks(printed: str, browser: Browser) -> None:
    page = browser.new_context().new_page()
    visitor = Visitor(page)
    page.goto(printed)
    expect(page.get_by_role("heading", name="repository-report")).to_be_visible()  # the run that it began with
    visitor.reads_what_to_do()
    visitor.click(page.get_by_role("navigation", name="Main").get_by_role("link", name="Start"))
    visitor.reads_what_to_do()
    visitor.click(page.get_by_role("link", name="Start expense"))
    visitor.reads_what_to_do()
    visitor.click(page.get_by_role("button", name="Start the run"))
    centre = page.get_by_label("Cost centre")
    expect(centre).to_be_visible()
    visitor.reads_what_to_do()
    centre.select_option("sales")
    page.get_by_label("Reason").fill("A customer in Bern, about next year.")
    visitor.clicks += 2  # into each of the two fields
    visitor.click(page.get_by_role("button", name="Submit"))
    for question in ("Raise the budget", "Pay 358.50"):
        expect(page.get_by_role("heading", name=question)).to_be_visible()
        visitor.reads_what_to_do()
        visitor.click(page.get_by_role("button", name="Approve"))
    expect(page.locator("[data-run-status=completed]")).to_be_visible()
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible()
    visitor.reads_what_to_do()
    assert visitor.clicks <= MAX_CLICKS
    page.context.close()
