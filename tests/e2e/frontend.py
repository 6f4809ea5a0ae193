"""A frontend as TanStack AI's client is one: it posts, and when its stream is cut it posts the same once more, with the
id of the last event that it got."""

import threading
import time
from typing import Any

import httpx

from tests.agui.reading import Screen, parse

RECONNECT_SECONDS = 0.25


def run_input(run_id: str, text: str, job: str, thread_id: str = "t", **props: Any) -> dict[str, Any]:
    return {
        "threadId": thread_id, "runId": run_id, "protocolVersion": "1.0", "state": {}, "tools": [], "context": [],
        "messages": [{"id": f"said-{run_id}", "role": "user", "content": text}], "forwardedProps": {"job": job} | props,
    }  # fmt: skip


class Frontend(threading.Thread):
    """Has one run, to its terminal event. `cut_every` events it cuts its connection itself."""

    def __init__(self, base_url: str, token: str, body: dict[str, Any], *, cut_every: int = 0) -> None:
        super().__init__(daemon=True)
        self._url, self._body, self._cut_every = f"{base_url}/ag-ui/run", body, cut_every
        self._headers = {"Authorization": f"Bearer {token}"}
        self.screen = Screen()
        self.connections = 0
        self.clean_ends_without_a_terminal_event = 0
        self.began_at = self.first_at = self.ended_at = 0.0
        self.problem = ""
        self.failure: Exception | None = None
        self._over = threading.Event()

    @property
    def text(self) -> str:
        """What it shows now."""
        return "".join(self.screen.texts)

    def run(self) -> None:
        self.began_at = time.monotonic()
        try:
            while not self._over.is_set():
                try:
                    self._connect()
                except (httpx.TransportError, httpx.RemoteProtocolError) as exc:
                    self.problem = repr(exc)
                    time.sleep(RECONNECT_SECONDS)
        except Exception as exc:
            self.failure = exc
            self._over.set()

    def _connect(self) -> None:
        headers = self._headers | ({"Last-Event-ID": self.screen.last_id} if self.screen.last_id else {})
        with (
            httpx.Client(trust_env=False, timeout=httpx.Timeout(60, read=60)) as client,
            client.stream("POST", self._url, json=self._body, headers=headers) as answer,
        ):
            if answer.status_code != 200:
                raise AssertionError(f"{answer.status_code} {answer.read()!r}")
            self.connections += 1
            taken, block = 0, ""
            for line in answer.iter_lines():
                if line:
                    block += line + "\n"
                    continue
                taken += self._take(block)
                block = ""
                if self._over.is_set() or (self._cut_every and taken == self._cut_every):
                    return
        self.clean_ends_without_a_terminal_event += 1
        time.sleep(RECONNECT_SECONDS)

    def _take(self, block: str) -> int:
        found = parse(block)
        if found is None:
            return 0
        self.screen.take(*found)
        self.first_at = self.first_at or time.monotonic()
        if found[1]["type"] in ("RUN_FINISHED", "RUN_ERROR"):
            self.ended_at = time.monotonic()
            self._over.set()
        return 1

    def leave(self) -> None:
        """After the next event at the latest."""
        self._over.set()
        self.join(60)

    def wait_for_text(self, text: str, within: float = 60) -> None:
        deadline = time.monotonic() + within
        while text not in self.text:
            assert time.monotonic() < deadline, f"{self.text!r} {self.problem} {self.failure!r}"
            time.sleep(0.02)

    def wait_for_end(self, within: float = 90) -> dict[str, Any]:
        """The terminal event."""
        assert self._over.wait(within), f"no end: {self.screen.types[-5:]} {self.problem}"
        if self.failure is not None:
            raise self.failure
        assert self.clean_ends_without_a_terminal_event == 0
        return self.screen.end
