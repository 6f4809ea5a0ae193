"""Every page × empty, full, failing × 1280 and 390 px × light and dark: it answers, fits, and axe-core is content.

The pictures stand in `var/looks/<state>/<page>-<width>-<scheme>.png`; LOOKS_FOLDER names another folder.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.looks import data
from tests.looks.data import Place
from tests.looks.keys import left_out
from tests.looks.looking import SCHEMES, WIDTHS, Scheme, look_again, look_at, opened, reader
from tests.looks.opening import OPENINGS
from tests.looks.pages import Look, is_for_operators, looks, of_admin, unknown
from tests.servers.installation import ROOT

pytestmark = pytest.mark.timeout(1800)
FOLDER = Path(os.environ.get("LOOKS_FOLDER") or ROOT / "var" / "looks")
ONLY = os.environ.get("LOOKS_ONLY", "")
"""Pages whose name contains this, for whoever works on one."""
STATES: dict[str, Callable[[Place], None]] = {
    "empty": data.leave_empty,
    "full": data.fill,
    "failing": data.get_into_trouble,
}
ANONYMOUS = ("sign-in", "once")
REFUSED = ("missing", "once")


@pytest.fixture(scope="module", params=STATES)
def place(request: pytest.FixtureRequest, on_postgresql: bool) -> Iterator[tuple[str, Place]]:
    installation = data.make_installation(on_postgresql)
    made = Place(installation)
    try:
        STATES[request.param](made)
        yield request.param, made
    finally:
        installation.remove()


def test_each_address_of_the_dashboard_is_a_page_that_is_looked_at() -> None:
    assert unknown() == []


def _looks(state: str, made: Place) -> list[Look]:
    """Of the admin those of operators in each state, and all where most is there."""
    in_admin = of_admin(made.admin_rows())
    return looks(made.ids) + [look for look in in_admin if state == "full" or is_for_operators(look)]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_its_screen_and_keeps_nobody_out(
    place: tuple[str, Place], browser: Browser, width: int, scheme: Scheme
) -> None:
    state, made = place
    session = _sign_in(browser, made)
    wrong = _look_at_all(browser, state, made, _looks(state, made), width, scheme, session)
    if state == "empty" and "run" not in made.ids and (width, scheme) == (390, "dark"):
        data.add_one_that_waits(made)
        for each in WIDTHS:
            for other in SCHEMES:
                of_runs = [look for look in looks(made.ids) if look.name.startswith("run-")]
                wrong += _look_at_all(browser, state, made, of_runs, each, other, session)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_what_opens_in_the_admin_keeps_nobody_out(
    place: tuple[str, Place], browser: Browser, width: int, scheme: Scheme
) -> None:
    state, made = place
    base, wrong = made.installation.base_url, []
    with reader(browser, base, width, scheme, _sign_in(browser, made)) as context:
        for name, open_it in OPENINGS.items():
            with opened(context) as (page, troubles):
                if ONLY in name and open_it(page):
                    found = look_again(page, FOLDER / state / f"{name}-{width}-{scheme}.png")
                    wrong += [f"{state} {name} {width} {scheme}: {one}" for one in found + troubles]
    assert not wrong, "\n".join(wrong)


def test_tab_reaches_all_that_can_be_clicked_and_shows_where_it_is(place: tuple[str, Place], browser: Browser) -> None:
    state, made = place
    base, wrong = made.installation.base_url, []
    with reader(browser, base, 1280, "light", _sign_in(browser, made)) as context:
        for look in _looks(state, made):
            if ONLY not in look.name or look.name in ANONYMOUS:
                continue
            with opened(context) as (page, _):
                page.goto(look.path, wait_until="networkidle")  # rows that arrive late would take the marks away
                context.set_offline(True)  # news would take the marks away
                wrong += [f"{state} {look.name}: {one}" for one in left_out(page)]
                context.set_offline(False)
    assert not wrong, "\n".join(wrong)


def _look_at_all(
    browser: Browser, state: str, made: Place, pages: list[Look], width: int, scheme: Scheme, session: Any
) -> list[str]:
    base, wrong = made.installation.base_url, []
    with (
        reader(browser, base, width, scheme, session) as member,
        reader(browser, base, width, scheme, None) as anonymous,
    ):
        for look in pages:
            if ONLY in look.name:
                picture = FOLDER / state / f"{look.name}-{width}-{scheme}.png"
                found = _look(anonymous if look.name in ANONYMOUS else member, look, picture)
                wrong += [f"{state} {look.name} {width} {scheme}: {one}" for one in found]
    return wrong


def _look(context: BrowserContext, look: Look, picture: Path) -> list[str]:
    refused = look.name in REFUSED
    with opened(context) as (page, troubles):
        found = look_at(page, look.path, picture, refused=refused)
        return found + [one for one in troubles if not (refused and "Failed to load resource" in one)]


def _sign_in(browser: Browser, made: Place) -> Any:
    context = browser.new_context(base_url=made.installation.base_url)
    page = context.new_page()
    page.goto("/sign-in/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(made.installation.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    session = context.storage_state()
    context.close()
    return session
