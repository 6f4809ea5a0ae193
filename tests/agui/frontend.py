"""A page that talks to an agent: it sends all it has, as the official client does, and checks all that it is told."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from ag_ui.core import Event as ProtocolEvent
from asgiref.sync import sync_to_async
from pydantic import TypeAdapter

from runs.testing import drain
from tests.agui.adapter.wire import Client, Event, violation
from tests.agui.reading import parse, read_blocks
from tests.live.people import ApiClient, Person

SECONDS_AT_MOST = 60
_event: TypeAdapter[Any] = TypeAdapter(ProtocolEvent)


@dataclass
class Frontend:
    """`tools` are its own. Runs are driven in this process, before it reads."""

    person: Person
    thread: str = "t1"
    tools: list[dict[str, Any]] = field(default_factory=list)
    version: str = "1.0"
    client: Client = field(default_factory=lambda: Client([]))
    interrupts: list[dict[str, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    runs: int = 0

    async def say(self, text: str, **more: Any) -> list[Event]:
        self.client.messages.append({"id": f"{self.thread}-u{self.runs + 1}", "role": "user", "content": text})
        return await self.run(**more)

    async def give(self, results: dict[str, str]) -> list[Event]:
        """The results of its own tools, by the ids of the calls."""
        for call_id, content in results.items():
            told = {"id": f"{call_id}-done", "role": "tool", "toolCallId": call_id, "content": content}
            self.client.messages.append(told)
        return await self.run()

    async def answer(self, *payloads: Any) -> list[Event]:
        """Its open interrupts, in order, each with its payload; None cancels."""
        entries = [
            {"interruptId": one["id"], "status": "cancelled" if payload is None else "resolved"}
            | ({} if payload is None else {"payload": payload})
            for one, payload in zip(self.interrupts, payloads, strict=False)
        ]
        return await self.run(resume=entries)

    def input(self, **more: Any) -> dict[str, Any]:
        self.runs += 1
        declared = {"protocolVersion": self.version} if self.version else {}
        return {
            "threadId": self.thread, "runId": f"{self.thread}-r{self.runs}", "messages": self.client.messages,
            "tools": self.tools, "context": [], "state": self.client.state, "forwardedProps": {},
        } | declared | more  # fmt: skip

    async def post(self, body: dict[str, Any]) -> Any:
        client = ApiClient(self.person.bearer)
        return await client.post("/ag-ui/run", json.dumps(body), content_type="application/json")

    async def run(self, **more: Any) -> list[Event]:
        """One protocol run; its events, each valid, in a legal order, and with a terminal one."""
        response = await self.post(self.input(**more))
        assert response.status_code == 200, response.content
        await sync_to_async(drain)()
        async with asyncio.timeout(SECONDS_AT_MOST):
            found = [parse(block) async for block in read_blocks(response)]
        return self._take([event for one in found if one is not None for event in [one[1]]])

    def _take(self, told: list[Event]) -> list[Event]:
        for event in told:
            _event.validate_python(event)
            self.client.apply(event)
        self.events += told
        assert violation(told) == ""
        assert violation(self.events) == ""
        assert told[-1]["type"] in ("RUN_FINISHED", "RUN_ERROR")
        if told[-1]["type"] == "RUN_FINISHED":
            self.interrupts = told[-1].get("outcome", {}).get("interrupts", [])
        return told

    @property
    def text(self) -> str:
        """What was said last."""
        said = [one for one in self.client.messages if one["role"] == "assistant" and one.get("content")]
        return str(said[-1]["content"])

    @property
    def results(self) -> list[str]:
        return [one["content"] for one in self.client.messages if one["role"] == "tool"]


def types(events: list[Event]) -> list[str]:
    return [event["type"] for event in events]
