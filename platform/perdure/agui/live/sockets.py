"""`/ag-ui/ws`: a conversation over one WebSocket, framed as TanStack AI's `webSocket()` does it.

The client sends the protocol's input as one message per run, or `{"type": "abort", "runId": ...}`. It gets
`{"id": ..., "chunk": <event>}`, or a bare event where nobody can go on from it, and `{"type": "ping"}` when it is
quiet. Opened with `?runId=&offset=<id of an event>` the socket only tells that run, from after that event (`-1`: from
its start), and is closed with 1000 behind it.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from ag_ui.core import RunErrorEvent

from perdure.agui.access import AguiViewer, check_may_act
from perdure.agui.answering import open_answer
from perdure.agui.cancelling import cancel_run
from perdure.agui.conf import get_settings
from perdure.agui.encoding import Told, encode_json
from perdure.agui.errors import AguiError, TooManyRuns, status_and_code
from perdure.agui.inputs import parse_input
from perdure.agui.off_loop import in_thread
from perdure.agui.stream import Batches, open_stream
from perdure.agui.turns import find_protocol_runs
from runs import clock
from runs.errors import RunsError
from runs.jobs import Actor
from runs.live.access import Viewer
from runs.live.sockets import Disconnected, Message, Receive, Send, Socket, encode_message

FROM_THE_START = "-1"
PING_SECONDS = 15.0
IDLE_SECONDS = 300.0
MOST_RUNS = 16
"""Told at once on one socket."""

logger = logging.getLogger(__name__)
_PING: Message = {"type": "ping"}


class AguiSocket(Socket):
    """One conversation, of any number of runs. Who leaves cancels nothing."""

    viewer_class = AguiViewer

    def __init__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self.max_message_bytes = get_settings().max_input_bytes
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._begun: dict[str, asyncio.Event] = {}
        self._query = parse_qs(scope.get("query_string", b"").decode("ascii", "replace"), keep_blank_values=True)

    async def _serve(self, viewer: Viewer) -> None:
        try:
            if "offset" in self._query:
                await super()._serve(viewer)
            else:
                await in_thread(check_may_act, viewer)
                await self._converse(viewer)
        except AguiError as exc:
            raise _Refused(exc) from exc

    async def batches(self, viewer: Viewer) -> AsyncIterator[list[str]]:
        """The run that the address names."""
        offset, run_id = self._query["offset"][-1], self._query.get("runId", [""])[-1]
        parts = await in_thread(find_protocol_runs, await in_thread(viewer.user), run_id)
        after = None if offset == FROM_THE_START else offset
        told = await open_stream(viewer, parts, last_event_id=after, joins=True, snapshots=True)
        try:
            async for batch in told:
                yield list(map(_frame, batch)) or [encode_message(_PING)]
        finally:
            await told.aclose()

    # A conversation ------------------------------------------------------------------------------------------------

    async def _converse(self, viewer: Viewer) -> None:
        heard_at = clock.monotonic()
        listening = asyncio.create_task(self._message())
        try:
            while True:
                done, _ = await asyncio.wait({listening}, timeout=PING_SECONDS)
                if done:
                    await self._take(viewer, listening.result())
                    heard_at, listening = clock.monotonic(), asyncio.create_task(self._message())
                elif not self._runs and clock.monotonic() - heard_at >= IDLE_SECONDS:
                    return
                else:
                    await self.send_json(_PING)
        finally:
            tasks = [listening, *self._runs.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self, viewer: Viewer, message: Message) -> None:
        kind, run_id = message.get("type"), str(message.get("runId"))
        if kind == "ping":
            await self.send_json({"type": "pong"})
        elif kind == "abort":
            await self._abort(viewer, run_id)
        elif kind != "auth":
            await self._begin(viewer, run_id, message)

    async def _begin(self, viewer: Viewer, run_id: str, message: Message) -> None:
        """The same run again takes the place of its first telling, so that nothing is told twice."""
        if (before := self._runs.pop(run_id, None)) is not None:
            before.cancel()
            await asyncio.gather(before, return_exceptions=True)
        if len(self._runs) >= MOST_RUNS:
            await self._say_error(TooManyRuns(MOST_RUNS))
            return
        begun = self._begun[run_id] = asyncio.Event()
        task = self._runs[run_id] = asyncio.create_task(self._tell(viewer, message, begun))
        task.add_done_callback(lambda ended: self._forget(run_id, ended))

    def _forget(self, run_id: str, ended: asyncio.Task[None]) -> None:
        if self._runs.get(run_id) is ended:
            del self._runs[run_id], self._begun[run_id]

    async def _tell(self, viewer: Viewer, message: Message, begun: asyncio.Event) -> None:
        with suppress(Disconnected):
            try:
                told = await self._open(viewer, message, begun)
                try:
                    async for batch in told:
                        for one in batch:
                            await self._send_text(_frame(one))
                finally:
                    await told.aclose()
            except Disconnected:
                raise
            except Exception as exc:
                await self._say_error(exc)

    async def _open(self, viewer: Viewer, message: Message, begun: asyncio.Event) -> Batches:
        try:
            user = await in_thread(viewer.user)
            wanted = await in_thread(parse_input, json.dumps(message).encode())  # up to two megabytes
            return await open_answer(viewer, user, wanted, Actor.of(user))
        finally:
            begun.set()

    async def _abort(self, viewer: Viewer, run_id: str) -> None:
        """A run whose input came just before is waited for: else it would not be found, and go on unseen."""
        if (begun := self._begun.get(run_id)) is not None:
            await begun.wait()
        try:
            user = await in_thread(viewer.user)
            await in_thread(cancel_run, user, run_id, Actor.of(user))
        except Exception as exc:
            await self._say_error(exc)

    # Errors --------------------------------------------------------------------------------------------------------

    async def _say_error(self, exc: Exception) -> None:
        """As an event that ends the run, so that its client does not wait for it."""
        _, event = _as_event(exc)
        await self._send_text(encode_json(event))

    async def _refuse(self, error: RunsError) -> None:
        status, event = _as_event(error.reason if isinstance(error, _Refused) else error)
        await self._send_text(encode_json(event))
        await self._close(_CLOSE + status, event.message)

    async def _send_text(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})


class _Refused(RunsError):
    """Carries a refusal to where the socket is closed."""

    code = "refused"

    def __init__(self, reason: AguiError) -> None:
        self.reason = reason
        super().__init__(str(reason))


_CLOSE = 4000
_OF_SOCKETS = {"invalid_message": 400, "sign_in_timeout": 408, "message_too_big": 413}


def _as_event(exc: Exception) -> tuple[int, RunErrorEvent]:
    """Its HTTP status, and the event that tells it; of our own failures only the log tells more."""
    if isinstance(exc, RunsError) and exc.code in _OF_SOCKETS:
        return _OF_SOCKETS[exc.code], RunErrorEvent(code="INVALID_INPUT", message=str(exc))
    try:
        status, code = status_and_code(exc) if isinstance(exc, AguiError | RunsError) else (500, "")
    except RunsError:
        status, code = 500, ""
    if status == 500:
        logger.error("A run on a WebSocket of AG-UI failed.", exc_info=exc)
        said = "The server failed; its log says why. Try again later."
        return status, RunErrorEvent(code="INTERNAL_ERROR", message=said)
    return status, RunErrorEvent(code=code, message=str(exc))


def _frame(told: Told) -> str:
    event = encode_json(told.event)
    return f'{{"id":{json.dumps(told.id)},"chunk":{event}}}' if told.id else event
