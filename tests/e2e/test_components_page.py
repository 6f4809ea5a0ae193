"""Components in a real browser: keys, trees, long texts, copying, times, and the menu of a phone."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.opening import OpenPage

GUIDE = "/styleguide/"
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in found]


def test_components_keep_nobody_out_and_answer_the_keyboard(open_page: OpenPage) -> None:
    page = open_page(GUIDE, viewport={"width": 1280, "height": 900})
    assert violations(page) == []
    _a_value_is_searched_and_opened(page)
    _a_long_text_goes_on_as_one_scrolls(page)
    _a_moment_is_told_exactly(page)
    _a_menu_opens_and_closes(page)
    _keys_lead_and_can_be_switched_off(page)


def _a_value_is_searched_and_opened(page: Page) -> None:
    tree = page.locator("[data-json-tree]").first
    expect(tree.get_by_text("9007199254740993")).to_be_visible()
    tree.get_by_role("searchbox").fill("259")
    tree.get_by_role("button", name=re.compile("numbers . 259: 259")).click()
    expect(tree.locator("[data-here]")).to_have_text("259259")
    expect(tree.locator("[data-here]")).to_be_in_viewport()
    tree.get_by_role("searchbox").fill("")
    tree.get_by_role("button", name="Raw").click()
    expect(tree.locator("[data-json-text]")).to_contain_text("<script>alert(1)</script> stays text.")
    tree.get_by_role("button", name="Raw").click()


def _a_long_text_goes_on_as_one_scrolls(page: Page) -> None:
    box = page.get_by_role("region", name="A long text")
    assert "  899  " not in (box.text_content() or "")
    scrolled = "box => { box.scrollTo(0, box.scrollHeight); return box.textContent.includes('  899  '); }"
    page.wait_for_function(scrolled, arg=box.element_handle())


def _a_moment_is_told_exactly(page: Page) -> None:
    moment = page.locator("time[data-relative]").nth(1)
    expect(moment).to_have_text("5 hours ago")
    moment.focus()
    expect(page.get_by_role("tooltip")).to_have_text(re.compile(r"\d{4}.*\d\d:\d\d:\d\d"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_be_hidden()


def _a_menu_opens_and_closes(page: Page) -> None:
    page.locator("summary", has_text="More").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Fork from a step")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Fork from a step")).to_be_hidden()
    expect(page.locator("summary", has_text="More")).to_be_focused()


def _keys_lead_and_can_be_switched_off(page: Page) -> None:
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys.get_by_text("Go to Runs")).to_be_visible()
    keys.get_by_label("Use these keys").uncheck()
    keys.get_by_role("button", name="Close").click()
    page.keyboard.type("gr")
    page.get_by_label("Name", exact=True).fill("gr?")
    expect(page).to_have_url(re.compile("/styleguide/$"))
    page.get_by_label("Name", exact=True).blur()
    page.keyboard.press("?")
    keys.get_by_label("Use these keys").check()
    keys.get_by_role("button", name="Close").click()
    page.keyboard.type("gr")
    expect(page).to_have_url(re.compile("/runs/$"))


def test_a_phone_has_the_bar_behind_a_button(open_page: OpenPage) -> None:
    page = open_page(GUIDE, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
    bar = page.get_by_role("navigation", name="Main")
    expect(bar).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    bar.get_by_role("link", name="Schedules").click()
    expect(page.get_by_role("heading", name="Schedules", level=1)).to_be_visible()


def test_what_is_copied_is_the_whole_text(open_page: OpenPage) -> None:
    page = open_page(GUIDE, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the whole text").click()
    expect(page.get_by_text("Copied.")).to_be_attached()
    text = page.evaluate("navigator.clipboard.readText()")
    assert text.count("\n") == 900
    page.get_by_role("button", name="Copy Output").click()
    expect(page.get_by_role("button", name="Copy Output")).to_have_attribute("data-done", "yes")
    value = page.evaluate("navigator.clipboard.readText()")
    assert '"large": 9007199254740993' in value
    assert "<script>alert(1)</script>" in value


def test_the_admin_fits_a_phone_and_keeps_nobody_out(open_page: OpenPage) -> None:
    page = open_page("/admin/", **PHONE)
    expect(page.get_by_role("heading", name="Stuck runs")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text(re.compile("All [0-9]+ invariants hold"))).to_be_visible()
