"""What the browser fixture `open_page` gives."""

from collections.abc import Callable

from playwright.sync_api import Page

OpenPage = Callable[..., Page]
"""Opens an address signed in."""
