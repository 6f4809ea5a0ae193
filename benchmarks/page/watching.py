"""A Chromium that opens tabs of a run's page and says what they cost."""

import time
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, WebSocket

# Before any script of the page: tasks of its loading count too.
_LISTEN = """
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) window.longTasks.push([one.startTime, one.duration]);
}).observe({ type: "longtask", buffered: true });
"""
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
LOADS = 3


@dataclass
class Seen:
    """Milliseconds and bytes of one tab; `frames` and `seconds` are of the time in which frames arrived."""

    tab: str
    painted: list[float] = field(default_factory=list)
    loading_task: float = 0
    longest_task: float = 0
    long_tasks: int = 0
    heap: float = 0
    heap_after: float = 0
    frames: int = 0
    seconds: float = 0
    rows: int = 0

    def as_figures(self) -> dict[str, Any]:
        return vars(self)


class Watcher:
    """One tab at a time in a browser context of its own, signed in by `cookies`."""

    def __init__(self, browser: Browser, base_url: str, cookies: Any) -> None:
        self.browser, self.base_url, self.cookies = browser, base_url, cookies

    def watch(self, tab: str, path: str, begin: Any, seconds: float) -> Seen:
        """Open the tab some times, then stay while frames arrive: `begin()` lets them come."""
        seen = Seen(tab)
        for number in range(LOADS):
            context = self.browser.new_context(storage_state=self.cookies, base_url=self.base_url)
            try:
                page = context.new_page()
                page.add_init_script(_LISTEN)
                frames: list[float] = []
                page.on("websocket", lambda socket, frames=frames: _count(socket, frames))
                page.goto(path, wait_until="load")
                _until(page, _PAINTED)
                seen.painted.append(round(page.evaluate(_PAINTED)))
                if number == LOADS - 1:
                    self._stay(page, context.new_cdp_session(page), seen, frames, begin, seconds)
            finally:
                context.close()
        return seen

    def _stay(
        self, page: Page, session: CDPSession, seen: Seen, frames: list[float], begin: Any, seconds: float
    ) -> None:
        session.send("Performance.enable")
        _until(page, "document.querySelector('main').dataset.line === 'open'")
        page.wait_for_timeout(2000)
        seen.loading_task = max((length for _, length in _tasks(page)), default=0)
        before = page.evaluate("performance.now()")
        frames.clear()
        begin()
        _wait_for_frames(page, frames)
        frames.clear()
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            page.wait_for_timeout(500)
            seen.heap = max(seen.heap, _heap(session))
        seen.frames, seen.seconds = len(frames), time.monotonic() - begun
        tasks = [length for at, length in _tasks(page) if at >= before]
        seen.longest_task, seen.long_tasks = max(tasks, default=0), len(tasks)
        session.send("HeapProfiler.collectGarbage")
        seen.heap_after = _heap(session)
        seen.rows = page.evaluate("document.querySelectorAll('main *').length")


def _count(socket: WebSocket, frames: list[float]) -> None:
    def take(data: Any) -> None:
        frames.extend([time.monotonic()] * str(data).count('"type":"stream"'))

    socket.on("framereceived", take)


def _until(page: Page, what: str, within: float = 60) -> None:
    """Playwright's own wait evaluates a text in the page, which its content policy forbids."""
    deadline = time.monotonic() + within
    while not page.evaluate(what):
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {within:g} s: {what}")
        page.wait_for_timeout(50)


def _wait_for_frames(page: Page, frames: list[float], within: float = 60) -> None:
    deadline = time.monotonic() + within
    while not frames:
        if time.monotonic() > deadline:
            raise AssertionError(f"No frame came within {within:g} s. Look whether the run's worker is alive.")
        page.wait_for_timeout(50)


def _tasks(page: Page) -> list[tuple[float, float]]:
    return [(at, length) for at, length in page.evaluate("window.longTasks")]


def _heap(session: CDPSession) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize"))
