"""A run's events as the workflow API tells them: iterations, chunks of text, calls of tools and the end."""

import json
from typing import Any

from runs.events.types import EventType, LiveType, RunEvent
from runs.live.encodings import SseEncoding

_ENDS = {EventType.RUN_COMPLETE: "completed", EventType.RUN_FAIL: "failed", EventType.RUN_CANCEL: "cancelled"}


class WorkflowSseEncoding(SseEncoding):
    """`iteration`, `llm_chunk`, `tool_call`, `tool_result`, `complete`; any other event under its own name."""

    def encode(self, event: RunEvent) -> bytes:
        name, told = tell(event)
        place = b"" if event.sequence is None else b"id: %d\n" % event.sequence
        envelope = event.as_envelope()
        data = {"workflowId": envelope["run_id"], "timestamp": envelope["created_at"]} | told
        if event.sequence is not None:
            data["sequenceNumber"] = event.sequence
        text = json.dumps(data, separators=(",", ":")).encode("ascii")
        return b"%sevent: %s\ndata: %s\n\n" % (place, name.encode(), text)


def tell(event: RunEvent) -> tuple[str, dict[str, Any]]:
    """The name of an event there, and what it says."""
    data = event.data
    match event.type:
        case EventType.RUN_PROGRESS:
            return "iteration", {"current": data["current"], "max": data["total"], "message": data["message"]}
        case LiveType.STREAM:
            return "llm_chunk", {"chunk": data, "step": event.step, "offset": event.offset, "attempt": event.attempt}
        case EventType.STEP_START:
            return "tool_call", {"toolName": event.step, "kind": data.get("kind"), "attempt": event.attempt}
        case EventType.STEP_COMPLETE:
            return "tool_result", {"toolName": event.step, "success": True, "output": data.get("output")}
        case EventType.STEP_FAIL:
            return "tool_result", {"toolName": event.step, "success": False, "output": _message(data)}
        case EventType.RUN_COMPLETE | EventType.RUN_FAIL | EventType.RUN_CANCEL:
            return "complete", _end(EventType(event.type), data)
    return str(event.type), {"step": event.step, "data": data}


def _end(kind: EventType, data: dict[str, Any]) -> dict[str, Any]:
    message = _message(data) if kind is EventType.RUN_FAIL else data.get("reason") or _ENDS[kind]
    return {"success": kind is EventType.RUN_COMPLETE, "message": message, "output": data.get("output")}


def _message(data: dict[str, Any]) -> str:
    return str((data.get("error") or {}).get("message", ""))


WORKFLOW_SSE = WorkflowSseEncoding("text/event-stream", preamble=b"retry: 1000\n\n", beat=b": heartbeat\n\n")
