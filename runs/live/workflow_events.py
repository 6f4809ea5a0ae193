"""A run's events as the workflow API tells them: iterations, chunks of text, calls of tools, errors and the end.

What other apps know of their steps is told their way: model calls and tools under the names that models use.
"""

import json
from collections.abc import Callable
from typing import Any

from runs.events.types import EventType, LiveType, RunEvent
from runs.events.workflows import Told, told_instead
from runs.live.encodings import SseEncoding

Data = dict[str, Any]


class WorkflowSseEncoding(SseEncoding):
    """`iteration`, `llm_chunk`, `tool_call`, `tool_result`, `error`, `complete`; any other event under its own name."""

    def encode(self, event: RunEvent) -> bytes:
        """An event may be told as several, or as none; only the last carries its number, so that whoever is cut off
        between them is told all of them again."""
        place = b"" if event.sequence is None else b"id: %d\n" % event.sequence
        blocks = [b"event: %s\ndata: %s\n\n" % (name.encode(), _data(event, said)) for name, said in tell(event)]
        if not blocks:
            return place and place + b"\n"
        return b"".join([*blocks[:-1], place + blocks[-1]])


def _data(event: RunEvent, said: Data) -> bytes:
    at = event.created_at
    data: Data = {"workflowId": str(event.run_id), "timestamp": at and int(at.timestamp() * 1000)} | said
    if event.sequence is not None:
        data["sequenceNumber"] = event.sequence
    return json.dumps(data, separators=(",", ":")).encode("ascii")


def tell(event: RunEvent) -> Told:
    """What is told there of an event: the names, and what they say."""
    told = told_instead(event)
    if told is not None:
        return told
    known = _KNOWN.get(str(event.type))
    return known(event, event.data) if known else [(str(event.type), {"step": event.step, "data": event.data})]


def _iteration(event: RunEvent, data: Data) -> Told:
    return [("iteration", {"current": data["current"], "max": data["total"], "message": data["message"]})]


def _chunk(event: RunEvent, data: Data) -> Told:
    return [("llm_chunk", {"chunk": data, "step": event.step, "offset": event.offset, "attempt": event.attempt})]


def _call(event: RunEvent, data: Data) -> Told:
    if data.get("kind") == "stream":  # a model's turn most often, which chunks and calls of tools tell of
        return [(str(event.type), {"step": event.step, "data": data})]
    return [("tool_call", {"toolName": event.step, "params": {}, "attempt": event.attempt})]


def _result(event: RunEvent, data: Data) -> Told:
    return [("tool_result", {"toolName": event.step, "success": True, "output": data.get("output")})]


def _failure(event: RunEvent, data: Data) -> Told:
    return [("tool_result", {"toolName": event.step, "success": False, "output": _message(data)})]


def _completed(event: RunEvent, data: Data) -> Told:
    return [_end(True, "completed", data.get("output"))]


def _failed(event: RunEvent, data: Data) -> Told:
    return [("error", {"message": _message(data)}), _end(False, _message(data), None)]


def _cancelled(event: RunEvent, data: Data) -> Told:
    return [_end(False, str(data.get("reason") or "cancelled"), None)]


def _end(success: bool, message: str, output: Any) -> tuple[str, Data]:
    """What the job's output says of itself goes before what is known of any."""
    said = output if isinstance(output, dict) else {}
    return "complete", {
        "success": success and said.get("success") is not False, "message": said.get("message", message),
        "iterations": said.get("iterations"), "steps": said.get("steps", []), "edits": said.get("edits", []),
        "output": output,
    }  # fmt: skip


def _message(data: Data) -> str:
    return str((data.get("error") or {}).get("message", ""))


_KNOWN: dict[str, Callable[[RunEvent, Data], Told]] = {
    EventType.RUN_PROGRESS: _iteration,
    LiveType.STREAM: _chunk,
    EventType.STEP_START: _call,
    EventType.STEP_COMPLETE: _result,
    EventType.STEP_FAIL: _failure,
    EventType.RUN_COMPLETE: _completed,
    EventType.RUN_FAIL: _failed,
    EventType.RUN_CANCEL: _cancelled,
}

WORKFLOW_SSE = WorkflowSseEncoding("text/event-stream", preamble=b"retry: 1000\n\n", beat=b": heartbeat\n\n")
