"""A follower as a browser's EventSource is one: it reconnects by itself and says which event it saw last."""

import json
import threading
import time
from typing import Any

import httpx

RECONNECT_SECONDS = 0.2
ENDS = ("run:complete", "run:fail", "run:cancel")


def said(frame: dict[str, Any]) -> str:
    """What the step emitted: a text, or a model's piece of one."""
    data = frame["data"]
    return str(data["text"]) if isinstance(data, dict) and "text" in data else str(data)


class SseFollower(threading.Thread):
    """Follows one run from its first event until its end; `sequences` and `frames` hold all that arrived.

    `text` is what a reader of the streamed step has on the screen: emptied by each `stream:reset`.
    """

    def __init__(self, base_url: str, run_id: str, token: str) -> None:
        super().__init__(daemon=True)
        self._url = f"{base_url}/api/runs/{run_id}/events"
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        self._closed = threading.Event()
        self.last_id = "0"
        self.events: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self.resets = 0
        self.connections = 0
        self.text = ""
        self.ended = threading.Event()
        self.problem = ""

    @property
    def sequences(self) -> list[int]:
        return [event["sequence"] for event in self.events]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def close(self) -> None:
        self._closed.set()

    def run(self) -> None:
        while not self.ended.is_set() and not self._closed.is_set():
            try:
                self._follow()
            except httpx.HTTPError as exc:
                self.problem = repr(exc)
            self._closed.wait(RECONNECT_SECONDS)

    def _follow(self) -> None:
        headers = self._headers | ({"Last-Event-ID": self.last_id} if self.last_id != "0" else {})
        timeout = httpx.Timeout(30, read=40)
        with (
            httpx.Client(trust_env=False, timeout=timeout) as client,
            client.stream("GET", self._url, headers=headers) as answer,
        ):
            if answer.status_code != 200:
                self.problem = f"{answer.status_code} {answer.read()!r}"
                return
            self.connections += 1
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                if self._closed.is_set():
                    return
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                elif fields:
                    self._take(fields)
                    fields = {}

    def _take(self, fields: dict[str, str]) -> None:
        self.last_id = fields.get("id", self.last_id)
        if "data" not in fields:
            return
        event = json.loads(fields["data"])
        if event["type"] == "stream":
            self.frames.append(event)
            self.text += said(event)
        elif event["type"] == "stream:reset":
            self.resets += 1
            self.text = ""
        else:
            self.events.append(event)
            if event["type"] in ENDS:
                self.ended.set()

    def wait_for_end(self, within: float) -> None:
        assert self.ended.wait(within), (
            f"no end within {within:g} s; last id {self.last_id}; {self.problem}; {self.types}"
        )

    def wait_for_frames(self, count: int, within: float = 60) -> None:
        """Wait until that many frames have arrived in all."""
        deadline = time.monotonic() + within
        while len(self.frames) < count:
            assert time.monotonic() < deadline, f"{len(self.frames)} of {count} frames; {self.problem}; {self.types}"
            time.sleep(0.02)
