"""What CopilotKit's client can ask for, apart from the addresses at which it does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict

from perdure.agui.access import actor_of
from perdure.agui.copilotkit.agents import agent_shapes, get_agent, id_of
from perdure.agui.copilotkit.shapes import info_shape, messages_shape, thread_shape
from perdure.agui.errors import InvalidInput, ThreadNotFound
from perdure.agui.hydrating import read_thread
from perdure.agui.thread_queries import change_thread, read_limit
from perdure.agui.threads import archive_thread, delete_thread, get_thread, list_threads
from perdure.agui.turns import live_turn
from runs import jobs
from runs.errors import RunAlreadyEnded

STOPPED = {"type": "RUN_ERROR", "message": "Run stopped by user", "code": "STOPPED"}


@dataclass(frozen=True)
class Call:
    """Who asks, and with what. `body` is an object, `{}` for none."""

    request: HttpRequest
    user: Any
    query: QueryDict
    body: Mapping[str, Any]


def info(call: Call) -> dict[str, Any]:
    return info_shape(agent_shapes())


def stop(call: Call, agent_id: str, thread_id: str) -> dict[str, Any]:
    """Cancel what is under way of a thread, or only `body.runId` if it is that. What is not there is not stopped."""
    get_agent(agent_id)
    run_id = call.body.get("runId")
    if run_id is not None and not (isinstance(run_id, str) and run_id.strip()):
        raise InvalidInput.of("runId", "must be the id of a run, or left out")
    if _stop(call, thread_id, run_id):
        return {"stopped": True, "interrupt": STOPPED}
    return {"stopped": False, "message": f"Nothing to stop is under way of thread {thread_id[:64]!r}."}


def _stop(call: Call, thread_id: str, run_id: str | None) -> bool:
    try:
        thread = get_thread(call.user, thread_id)
    except ThreadNotFound:
        return False
    turn = live_turn(thread)
    if turn is None or turn.run_id is None:
        return False
    if run_id is not None and not turn.protocol_runs.filter(run_id=run_id).exists():
        return False
    try:
        jobs.cancel(turn.run_id, actor=actor_of(call.request, call.user), reason="Stopped in the conversation")
    except RunAlreadyEnded:
        return False
    return True


def threads(call: Call) -> dict[str, Any]:
    """`?agentId=&includeArchived=true&limit=&cursor=`"""
    agent_id = call.query.get("agentId") or None
    archived = None if call.query.get("includeArchived") == "true" else False
    agent = get_agent(agent_id).name if agent_id else None
    found, cursor = list_threads(call.user, agent, archived, read_limit(call.query), call.query.get("cursor") or None)
    return {"threads": [thread_shape(one, agent_id or one.agent) for one in found], "nextCursor": cursor}


def change(call: Call, thread_id: str) -> dict[str, Any]:
    """`{agentId, name?, archived?}`"""
    thread = change_thread(call.request, call.user, thread_id, call.body, "name")
    return thread_shape(thread, id_of(call.body.get("agentId"), thread.agent))


def archive(call: Call, thread_id: str) -> dict[str, Any]:
    archive_thread(call.user, thread_id, actor=actor_of(call.request, call.user))
    return {"threadId": thread_id, "archived": True}


def delete(call: Call, thread_id: str) -> dict[str, Any]:
    delete_thread(call.user, thread_id, actor=actor_of(call.request, call.user))
    return {"threadId": thread_id, "deleted": True}


def messages(call: Call, thread_id: str) -> dict[str, Any]:
    return {"messages": messages_shape(read_thread(get_thread(call.user, thread_id)).messages)}


def state(call: Call, thread_id: str) -> dict[str, Any]:
    return {"state": read_thread(get_thread(call.user, thread_id)).state}
