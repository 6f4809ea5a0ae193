"""A client of AG-UI: what it has on its screen after the events that it got."""

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Screen:
    """Events in, messages out, as the official client applies them; an event where none may be is an AssertionError."""

    events: list[Json] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    messages: dict[str, Json] = field(default_factory=dict)
    state: Any = None
    open: set[tuple[str, str]] = field(default_factory=set)
    is_running: bool = False

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def last_id(self) -> str:
        return next((one for one in reversed(self.ids) if one), "")

    @property
    def texts(self) -> list[str]:
        """What assistants said, in order."""
        return [one["content"] for one in self.messages.values() if one["role"] == "assistant" and one["content"]]

    @property
    def end(self) -> Json:
        assert not self.is_running, f"no terminal event after {self.types[-3:]}"
        return self.events[-1]

    def take(self, id: str, event: Json) -> None:
        self.ids.append(id)
        self.events.append(event)
        kind = event["type"]
        assert self.is_running or kind in ("RUN_STARTED", "RUN_ERROR"), f"{kind} outside of a run"
        match kind:
            case "RUN_STARTED":
                assert not self.is_running
                self.is_running = True
                for message in event.get("input", {}).get("messages", []):
                    self.messages.setdefault(message["id"], message)
            case "RUN_FINISHED" | "RUN_ERROR":
                assert kind == "RUN_ERROR" or not self.open, f"still open: {self.open}"
                self.open.clear()
                self.is_running = False
            case "STATE_SNAPSHOT":
                self.state = event["snapshot"]
            case "MESSAGES_SNAPSHOT":
                self.messages = {one["id"]: one | {"content": one.get("content")} for one in event["messages"]}
            case _:
                self._take_part(kind, event)

    def _take_part(self, kind: str, event: Json) -> None:
        name = event.get("messageId") or event.get("toolCallId") or event.get("stepName") or ""
        family, _, moment = kind.rpartition("_")
        if moment in ("START", "STARTED"):
            assert (family, name) not in self.open, f"{name} is open"
            self.open.add((family, name))
            if family == "TEXT_MESSAGE":
                self.messages.setdefault(name, {"id": name, "role": event["role"], "content": ""})
        elif moment in ("END", "FINISHED"):
            self.open.remove((family, name))
        elif moment in ("CONTENT", "ARGS"):
            assert (family, name) in self.open, f"{name} is not open"
            if family == "TEXT_MESSAGE":
                self.messages[name]["content"] = (self.messages[name]["content"] or "") + event["delta"]


def parse(text: str) -> tuple[str, Json] | None:
    """One block of an event stream; None for a comment."""
    fields = dict(line.split(": ", 1) for line in text.strip().split("\n"))
    if "" in fields or "data" not in fields:
        return None
    assert set(fields) <= {"id", "data"}
    return fields.get("id", ""), json.loads(fields["data"])


def show(blocks: Iterable[str], screen: Screen | None = None) -> Screen:
    screen = screen or Screen()
    for block in blocks:
        if (found := parse(block)) is not None:
            screen.take(*found)
    return screen


async def read_blocks(response: Any) -> AsyncIterator[str]:
    """The blocks of a response of Django's test client, one by one."""
    rest = ""
    async for chunk in response:
        rest += chunk.decode()
        *blocks, rest = rest.split("\n\n")
        for block in blocks:
            yield block
    assert rest == ""
