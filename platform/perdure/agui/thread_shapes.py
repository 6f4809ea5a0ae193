"""Threads in JSON, as /ag-ui/threads/ tells them."""

from datetime import datetime
from typing import Any

from perdure.agui.hydrating import ThreadNow
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


def thread_now_shape(thread: Thread, now: ThreadNow) -> dict[str, Any]:
    """A thread with its messages, its state and what it waits for. `runId` is there unless it is idle."""
    messages = [one.model_dump(mode="json", by_alias=True) for one in now.messages]
    interrupts = [one.model_dump(mode="json", by_alias=True) for one in now.interrupts]
    run = now.active or now.interrupted
    status = "running" if now.active is not None else "waiting" if now.interrupted is not None else "idle"
    shape = thread_shape(thread) | {"status": status, "state": now.state, "interrupts": interrupts}
    return shape | ({"runId": run.run_id} if run else {}) | {"messages": _with_interrupts(messages, interrupts)}


def _with_interrupts(messages: list[dict[str, Any]], interrupts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """assistant-ui's `fromAgUiMessages` looks for what waits in the metadata of the last answer, and nowhere else."""
    last = next((one for one in reversed(messages) if one["role"] == "assistant"), None)
    if interrupts and last is not None:
        last["metadata"] = (last.get("metadata") or {}) | {"custom": {"agui": {"interrupts": interrupts}}}
    return messages


def time_shape(at: datetime) -> str:
    """RFC 3339 in UTC, with a Z."""
    return at.isoformat().replace("+00:00", "Z")
