"""The WebSockets of runs: one run's events, and the list of runs."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs
from uuid import UUID

from runs.live.access import Viewer, parse_run_id
from runs.live.errors import AddressNotFound, InvalidCursor, parse_cursor
from runs.live.feed import follow_list
from runs.live.follow import follow_gathered
from runs.live.run_list import RUNS
from runs.live.sockets import Socket, one_by_one
from runs.live.watcher import get_watcher


class RunSocket(Socket):
    """`/ws/runs/{id}/?after=N`: one envelope per message, closed with 1000 after the last event of an ended run."""

    async def batches(self, viewer: Viewer) -> AsyncIterator[list[str]]:
        run_id = parse_run_id(self.scope["url_route"]["kwargs"]["run_id"])
        after = await self._cursor(viewer, run_id)
        followed = follow_gathered(viewer, run_id, after)  # without a beat: the server's protocol pings do that
        try:
            async for batch in followed:
                yield [event.as_json() for event in batch]
        finally:
            await followed.aclose()
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


class RunListSocket(Socket):
    """`/ws/runs/`: `{"type": "snapshot", "runs": [...]}`, then `run` with a changed row and `delete` with an id."""

    def batches(self, viewer: Viewer) -> AsyncIterator[list[str]]:
        return one_by_one(follow_list(viewer, RUNS))


class UnknownSocket(Socket):
    """Any other address: closed with 4404 instead of an error in the server's log."""

    async def run(self) -> None:
        await self._next()
        await self._send({"type": "websocket.accept", "subprotocol": self._subprotocol()})
        await self._refuse(AddressNotFound())

    def batches(self, viewer: Viewer) -> AsyncIterator[list[str]]:
        raise AddressNotFound
