"""WebSocket addresses of questions."""

from collections.abc import AsyncIterator

from django.urls import re_path

from hitl.live.inbox import INBOX
from runs.live.access import Viewer
from runs.live.feed import follow_list
from runs.live.sockets import Socket, one_by_one


class InboxSocket(Socket):
    """`/ws/inbox/`: `{"type": "snapshot", "count", "questions": [...]}`, then `question` with a row that is new or
    changed, `delete` with the id of one that waits no more, and `count`."""

    def batches(self, viewer: Viewer) -> AsyncIterator[list[str]]:
        return one_by_one(follow_list(viewer, INBOX))


websocket_urlpatterns = [
    re_path(r"^ws/inbox/$", InboxSocket.as_asgi()),  # type: ignore[arg-type]  # an ASGI application, as URLRouter wants
]
