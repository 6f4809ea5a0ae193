"""The WebSockets of runs: one run's events, and the list of runs."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from runs.errors import RunsError
from runs.live.access import Viewer, parse_run_id
from runs.live.errors import AddressNotFound, InvalidCursor, parse_cursor
from runs.live.feed import follow_list
from runs.live.follow import follow
from runs.live.pump import pump
from runs.live.run_list import RUNS
from runs.live.sockets import Message, Socket
from runs.live.watcher import get_watcher

_NO_BEAT = 3600.0  # the server's protocol pings do that


class RunSocket(Socket):
    """`/ws/runs/{id}/?after=N`: one envelope per message, closed with 1000 after the last event of an ended run."""

    async def messages(self, viewer: Viewer) -> AsyncIterator[Message]:
        run_id = parse_run_id(self.scope["url_route"]["kwargs"]["run_id"])
        after = await self._cursor(viewer, run_id)
        pumped = pump(follow(run_id, after), _NO_BEAT, lambda: _may_watch(viewer, run_id))
        try:
            async for event in pumped:
                if event is not None:
                    yield event.as_envelope()
        finally:
            await pumped.aclose()
        # Did the run end, or the right to see it? The second raises and closes with its code.
        await get_watcher().read(viewer.head, run_id)

    async def _cursor(self, viewer: Viewer, run_id: UUID) -> int:
        head = await get_watcher().read(viewer.head, run_id)
        query = parse_qs(self.scope.get("query_string", b"").decode("ascii", "replace"), keep_blank_values=True)
        text = query.get("after", ["0"])[-1]
        after = parse_cursor("after", text)
        if after > head.last_sequence:
            raise InvalidCursor("after", text)
        return after


async def _may_watch(viewer: Viewer, run_id: UUID) -> bool:
    try:
        await get_watcher().read(viewer.head, run_id)
    except RunsError:
        return False
    return True


class RunListSocket(Socket):
    """`/ws/runs/`: `{"type": "snapshot", "runs": [...]}`, then `run` with a changed row and `delete` with an id."""

    def messages(self, viewer: Viewer) -> AsyncIterator[Message]:
        return follow_list(viewer, RUNS)


class UnknownSocket(Socket):
    """Any other address: closed with 4404 instead of an error in the server's log."""

    async def run(self) -> None:
        await self._next()
        await self._send({"type": "websocket.accept", "subprotocol": self._subprotocol()})
        await self._refuse(AddressNotFound())

    def messages(self, viewer: Viewer) -> AsyncIterator[Any]:
        raise AddressNotFound
