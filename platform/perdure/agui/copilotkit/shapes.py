"""JSON as CopilotKit's client reads it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ag_ui.core import Message
from django.conf import settings
from django.http import HttpResponseBase, JsonResponse

from perdure.agui.models import Thread
from perdure.agui.thread_shapes import time_shape

THREAD_ENDPOINTS = {"list": True, "inspect": True, "mutations": True, "realtimeMetadata": False}


def info_shape(agents: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """What is served; `agents` by their id."""
    return {
        "version": settings.VERSION,
        "mode": "sse",
        "agents": dict(agents),
        "threadEndpoints": THREAD_ENDPOINTS,
        "singleRoute": {"resourceOperations": True, "threadEndpoints": THREAD_ENDPOINTS},
        "audioFileTranscriptionEnabled": False,
        "suggestions": False,
        "a2uiEnabled": False,
        "openGenerativeUIEnabled": False,
        "telemetryDisabled": True,
    }


def thread_shape(thread: Thread, agent_id: str) -> dict[str, Any]:
    """A thread as a list shows it; `agent_id` is the id under which its agent was asked for."""
    return {
        "id": thread.thread_id,
        "name": thread.title or None,
        "agentId": agent_id,
        "organizationId": thread.team.name if thread.team is not None else "",
        "createdById": str(thread.owner_id),
        "archived": thread.archived_at is not None,
        "createdAt": time_shape(thread.created_at),
        "updatedAt": time_shape(thread.updated_at),
        "lastRunAt": time_shape(thread.updated_at),
    }


def messages_shape(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """A transcript for its inspector, which knows calls by `name` and `args`."""
    return [_message(one.model_dump(mode="json", by_alias=True)) for one in messages]


def _message(message: dict[str, Any]) -> dict[str, Any]:
    kept = {name: message[name] for name in ("id", "role", "content", "toolCallId", "error") if name in message}
    calls = [
        {"id": call["id"], "name": call["function"]["name"], "args": call["function"]["arguments"]}
        for call in message.get("toolCalls") or []
    ]
    return kept | ({"toolCalls": calls} if calls else {})


def reshaped(refused: HttpResponseBase) -> HttpResponseBase:
    """A refusal of AG-UI as CopilotKit tells one: `{error: CODE, message, details?}`. Else what it was given."""
    if refused.status_code < 400 or not isinstance(refused, JsonResponse):
        return refused
    said = json.loads(refused.content)["error"]
    refused.content = json.dumps({"error": said.pop("code"), **said}).encode()
    return refused
