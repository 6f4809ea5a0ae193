"""What is seen in the admin only after a click: what actions ask before they do anything, filters and menus."""

from collections.abc import Callable
from functools import partial

from playwright.sync_api import Page

_RUNS, _QUESTIONS = "/admin/runs/run/", "/admin/hitl/question/"


def _ask(page: Page, path: str, action: str) -> bool:
    """Chooses the first row and the action, which asks before it acts; False where there is no row."""
    if not _choose(page, path):
        return False
    page.locator("select[name=action]").select_option(action)
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator("#reason").wait_for()
    return True


def _choose(page: Page, path: str) -> bool:
    page.goto(path)
    rows = page.locator("#result_list tbody input[type=checkbox]")
    if not rows.count():
        return False
    rows.first.check()
    page.locator("#changelist-actions").wait_for()
    return True


def _choose_all(page: Page) -> bool:
    """One by one: the bar that comes must not lie over the last of them."""
    if not _choose(page, _RUNS):
        return False
    for row in page.locator("#result_list tbody input[type=checkbox]").all():
        row.check()
    return True


def _open_filters(page: Page) -> bool:
    page.goto(_RUNS)
    page.get_by_role("button", name="Filters").press("Enter")
    page.locator("#changelist-filter h3").first.wait_for()
    return True


def _check_invariants(page: Page) -> bool:
    page.goto(f"{_RUNS}invariants/")
    page.get_by_role("button", name="Check now").click()
    page.locator("#verdict").wait_for()
    return True


def _show_what_goes(page: Page) -> bool:
    page.goto(f"{_RUNS}clean-up/")
    page.get_by_label("Older than").fill("1s")
    page.get_by_role("button", name="Show what goes").click()
    page.locator("#what-goes").wait_for()
    return True


OPENINGS: dict[str, Callable[[Page], bool]] = {
    "admin-chosen": _choose_all,
    "admin-cancel": partial(_ask, path=_RUNS, action="cancel_runs"),
    "admin-resume": partial(_ask, path=_RUNS, action="resume_runs"),
    "admin-approve": partial(_ask, path=_QUESTIONS, action="approve_questions"),
    "admin-filters": _open_filters,
    "admin-invariants-checked": _check_invariants,
    "admin-what-goes": _show_what_goes,
}
"""Each opens it and says whether there was something to open."""
