"""The browser, and who looks: the administrator, signed in by the form once for each installation."""

import os
from typing import Any

import pytest

from tests.servers.browser import find_chromium

# Playwright's loop runs in the thread of the tests, so Django would take their queries for asynchronous ones.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """A Chromium that is here, without its sandbox only where root makes that impossible."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": find_chromium(), "args": arguments}


@pytest.fixture(scope="session")
def base_url() -> str:
    """None: each test names its server."""
    return ""
