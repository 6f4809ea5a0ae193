"""Opens a page as a reader does and says what is wrong with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize

Scheme = Literal["light", "dark"]
WIDTHS = {1280: 800, 390: 844}
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
LEAVES = "closed before the connection is established"
"""Chromium says so of a page that is left while it connects."""
_TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return "";
  const wide = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > width + 1);
  return wide.slice(0, 3).map((one) => one.tagName + "." + one.className).join(", ") || "something";
}"""
_AXE: dict[str, Any] = {"resultTypes": ["violations"]}


@contextmanager
def reader(browser: Browser, base: str, width: int, scheme: Scheme, state: Any) -> Iterator[BrowserContext]:
    """A browser of this width and scheme, in which who has this session looks."""
    size: ViewportSize = {"width": width, "height": WIDTHS[width]}
    context = browser.new_context(
        base_url=base, viewport=size, color_scheme=scheme, reduced_motion="reduce", storage_state=state,
        has_touch=width < 500,
    )  # fmt: skip
    try:
        yield context
    finally:
        context.close()


@contextmanager
def opened(context: BrowserContext) -> Iterator[tuple[Page, list[str]]]:
    """A page, and what its console complains of."""
    troubles: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        if said.type in ("error", "warning") and LEAVES not in said.text:
            troubles.append(f"console: {said.text}")

    page = context.new_page()
    page.on("console", hear)
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    try:
        yield page, troubles
    finally:
        page.close()


def look_at(page: Page, path: str, picture: Path, *, refused: bool = False) -> list[str]:
    """Opens `path`, keeps a picture of it, and names what is wrong: its answer, its width, what axe-core finds."""
    answer = page.goto(path)
    status = answer.status if answer else 0
    found = [] if status == 200 or (refused and 400 <= status < 500) else [f"answered {status}"]
    return found + look_again(page, picture)


def look_again(page: Page, picture: Path) -> list[str]:
    """The page as it is now, after something in it was opened."""
    found = []
    page.wait_for_function("document.readyState === 'complete' && document.fonts.status === 'loaded'")
    picture.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=picture, full_page=True, animations="disabled")
    if wide := page.evaluate(_TOO_WIDE):
        found.append(f"wider than the screen: {wide}")
    return found + violations(page)


def violations(page: Page) -> list[str]:
    """What axe-core finds, one line for each rule with the first places."""
    results = Axe().run(page, options=_AXE).response["violations"]
    return [
        f"axe {one['id']}: {one['help']}: " + " | ".join(str(node["target"][0]) for node in one["nodes"][:3])
        for one in results
    ]
