"""One call: counted, answered by its rule, with the rule's delays and faults on the connection itself."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from tests.vendors import faults
from tests.vendors.answers import compose
from tests.vendors.connection import LAST_CHUNK, Client, ClientGone, Request, Response, answer_json, chunk, head_of
from tests.vendors.counting import ANSWERED, Call, Ledger
from tests.vendors.prompts import Prompt
from tests.vendors.script import Rule, Script
from tests.vendors.wires import Streamed, Wire


@dataclass
class State:
    """What `reset` makes anew."""

    ledger: Ledger = field(default_factory=Ledger)
    script: Script = field(default_factory=Script)
    gates: defaultdict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))


class HungUp(Exception):
    """The connection is to be closed now, as the rule says."""


@dataclass
class Play:
    """The performance of one call."""

    client: Client
    request: Request
    wire: Wire
    prompt: Prompt
    call: Call
    rule: Rule
    state: State

    async def run(self) -> None:
        """Raises: ClientGone, HungUp."""
        await self._wait_at(0)
        await self._delay(self.rule.delay_seconds)
        if self.rule.fault == "reset":
            self._end("reset")
            self.client.writer.transport.abort()
            raise HungUp
        if self._is_error:
            await self._fail()
        elif self.prompt.stream:
            await self._stream(self.wire.streamed(self.prompt, compose(self.prompt, self.rule)))
        else:
            await self._whole()

    @property
    def _is_error(self) -> bool:
        fault = self.rule.fault
        blocked = fault == "content_filter" and self.prompt.wire == "anthropic"
        return fault in faults.STATUSES or blocked or (fault == "error_in_stream" and not self.prompt.stream)

    async def _fail(self) -> None:
        fault = self.rule.fault
        status = self.rule.status or faults.status_of(fault, self.prompt.wire)
        error = self.wire.error(fault, self.prompt, self.rule.message)
        response = answer_json(status, error, **self._headers())
        if fault == "bad_gateway":
            page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n"
            response = Response(status, page, {"content-type": "text/html"})
        self.call.status = status
        self._end(fault)
        await self.client.respond(response, to=self.request)

    def _headers(self) -> dict[str, str]:
        id = f"req_{self.prompt.digest[:24]}"
        named = {"request_id" if self.prompt.wire == "anthropic" else "x_request_id": id}
        if self.rule.retry_after is not None:
            named["retry_after"] = str(self.rule.retry_after)
        return named

    async def _whole(self) -> None:
        response = answer_json(200, self.wire.whole(self.prompt, compose(self.prompt, self.rule)), **self._headers())
        await self._delay(self.rule.chunk_delay_seconds)
        self.call.status = 200
        if self.rule.fault in ("malformed", "truncated"):
            response = Response(200, response.body[: len(response.body) // 2], response.headers)
        if self.rule.fault in ("cut", "stall"):
            head = head_of(200, {**response.headers, "content-length": str(len(response.body))})
            await self.client.write(head + response.body[: len(response.body) // 2])
            await self._break_off()
        self._end(self.rule.fault or ANSWERED)
        await self.client.respond(response, to=self.request)

    async def _stream(self, stream: Streamed) -> None:
        named = {name.replace("_", "-"): value for name, value in self._headers().items()}
        self.call.status = 200
        head = {"content-type": stream.media_type, "cache-control": "no-cache", "transfer-encoding": "chunked", **named}
        await self.client.write(head_of(200, head) + (chunk(stream.opening) if stream.opening else b""))
        broken_at = self.rule.after_chunks if self.rule.fault in faults.BROKEN else -1
        for number, piece in enumerate(stream.pieces, start=1):
            if number - 1 == broken_at:
                break
            await self._wait_at(number)
            await self._delay(self.rule.chunk_delay_seconds)
            await self.client.write(chunk(piece))
            self.call.sent = number
        await self._wait_at(len(stream.pieces) + 1)
        if broken_at >= 0:
            await self._break_stream(stream)
        # It has ended before the client can know: else its next call might seem to be at the same time.
        self._end(self.rule.fault or ANSWERED)
        closing = b"" if self.rule.fault in ("truncated", "error_in_stream") else chunk(stream.closing)
        await self.client.write(closing + LAST_CHUNK)

    async def _break_stream(self, stream: Streamed) -> None:
        if self.rule.fault == "malformed":
            await self.client.write(chunk(stream.malformed))
        elif self.rule.fault == "error_in_stream":
            kind = "overloaded" if self.prompt.wire == "anthropic" else "server_error"
            await self.client.write(chunk(self.wire.error_piece(self.wire.error(kind, self.prompt, self.rule.message))))
        elif self.rule.fault in ("cut", "stall"):
            await self._break_off()

    async def _break_off(self) -> None:
        if self.rule.fault == "stall":
            try:
                await self.client.pause(None)
            finally:
                self._end("stall")
        self._end("cut")
        raise HungUp

    async def _wait_at(self, piece: int) -> None:
        """`gate_after` pieces may go out before the gate; a stream that has fewer waits before its end."""
        if self.rule.gate and piece == (self.rule.gate_after + 1 if self.rule.gate_after else 0):
            await self.client.pause(None, self.state.gates[self.rule.gate])

    async def _delay(self, seconds: float) -> None:
        if seconds:
            await self.client.pause(seconds)
        elif self.client.gone.is_set():
            raise ClientGone

    def _end(self, outcome: str) -> None:
        self.state.ledger.end(self.call, outcome)
