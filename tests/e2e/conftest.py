"""Browser fixtures. These tests run in a pytest process of their own: Playwright keeps an event loop of its own."""

import os
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.servers.browser import find_chromium

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
