"""Browser fixtures. These tests run in a pytest process of their own: Playwright keeps an event loop of its own."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.e2e.opening import OpenPage
from tests.servers.browser import find_chromium
from tests.servers.installation import Installation

# Playwright's loop runs in the thread of the tests, so Django would take their queries for asynchronous ones.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# Milliseconds, of which a page takes some hundred. Nothing is learned from how long a failing test waits.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """A Chromium that is here, without its sandbox only where root makes that impossible."""
    arguments = [*browser_type_launch_args.get("args", []), *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return {**browser_type_launch_args, "executable_path": find_chromium(), "args": arguments}


@pytest.fixture(scope="session")
def base_url() -> str:
    """None: each test names its server. Pytest deprecates how the plugin writes its own fixture of this name."""
    return ""


@pytest.fixture(scope="session")
def server(on_postgresql: bool) -> Iterator[Installation]:
    installation = Installation(postgresql=on_postgresql)
    try:
        yield installation.start()
    finally:
        left = installation.remove()
    assert not left


@pytest.fixture(scope="session")
def signed_in(server: Installation, browser: Browser) -> dict[str, Any]:
    """The cookies of the administrator, who signs in by the form once."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.base_url}/runs/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    state: dict[str, Any] = dict(context.storage_state())
    context.close()
    return state


@pytest.fixture
def open_page(server: Installation, signed_in: dict[str, Any], browser: Browser) -> Iterator[OpenPage]:
    """Opens an address signed in; at the end no page may have an error in its console."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        # Chromium says so of a page that is left while it connects.
        if said.type in ("error", "warning") and "closed before the connection is established" not in said.text:
            troubles.append(said.text)

    def go(path: str, *, script: str = "", quiet: bool = False, prepare: Any = None, **options: Any) -> Page:
        context = browser.new_context(storage_state=signed_in, base_url=server.base_url, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        if script:
            page.add_init_script(script)
        if prepare:
            prepare(page)
        if not quiet:
            page.on("pageerror", lambda error: troubles.append(str(error)))
            page.on("console", hear)
        page.goto(path)
        return page

    yield go
    for context in contexts:
        context.close()
    assert not troubles
