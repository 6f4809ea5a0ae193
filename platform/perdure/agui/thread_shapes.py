"""Threads in JSON, as /ag-ui/threads/ tells them."""

from datetime import datetime
from typing import Any

from perdure.agui.models import Thread


def thread_shape(thread: Thread) -> dict[str, Any]:
    """What a list shows of a thread. `team` is there for a team's thread only."""
    shape = {
        "threadId": thread.thread_id,
        "title": thread.title,
        "agent": thread.agent,
        "owner": thread.owner.get_username(),
        "archived": thread.archived_at is not None,
        "createdAt": time_shape(thread.created_at),
        "updatedAt": time_shape(thread.updated_at),
    }
    return shape | ({"team": thread.team.name} if thread.team is not None else {})


def time_shape(at: datetime) -> str:
    """RFC 3339 in UTC, with a Z."""
    return at.isoformat().replace("+00:00", "Z")
