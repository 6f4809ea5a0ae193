"""Chats as the workflow API tells them: calls of tools with their arguments, chunks of text, and what was said."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from flows.llm.tools import naming
from flows.llm.tools.registry import Level, level_of_name
from flows.llm.tools.results import shortened
from flows.llm.tools.told import failure_text, result_text
from runs.events.types import EventType, LiveType, RunEvent
from runs.events.workflows import Told
from runs.jobs import Reading, StepView

MAX_SAID: Final = 20_000
"""Characters of one message of a conversation."""


def tell(event: RunEvent) -> Told | None:
    """A model's calls of tools are told when its answer is recorded, their results when they are; None: no chat's."""
    if event.type == LiveType.STREAM:
        return _tell_frame(event)
    if event.step is None or not str(event.type).startswith("step:"):
        return None
    if event.type == EventType.STEP_COMPLETE and (message := _message_of(event.data.get("output"))) is not None:
        calls = message.get("tool_calls") or []
        return [("tool_call", {"toolName": one["name"], "params": one["arguments"], "id": one["id"]}) for one in calls]
    if naming.chat_and_turn_of_plan(event.step) is not None:
        return []
    tool = naming.tool_of(event.step)
    return None if tool is None else _tell_tool(event, tool)


def _tell_frame(event: RunEvent) -> Told | None:
    frame: Any = event.data
    if not isinstance(frame, Mapping) or frame.get("type") not in ("text", "reasoning", "tool_call"):
        return None
    place = {"step": event.step, "offset": event.offset, "attempt": event.attempt}
    return [("llm_chunk", {"chunk": frame["text"]} | place)] if frame["type"] == "text" else []


def _tell_tool(event: RunEvent, tool: str) -> Told | None:
    if event.type == EventType.STEP_COMPLETE:
        output = result_text(event.data.get("output"))
        return [("tool_result", {"toolName": tool, "success": True, "output": output})]
    if event.type == EventType.STEP_FAIL:
        output = failure_text(tool, event.data.get("error") or {})
        return [("tool_result", {"toolName": tool, "success": False, "output": output})]
    return [] if event.type == EventType.STEP_START else None


def read(steps: Sequence[StepView]) -> Reading:
    """What was said, in the order of the steps; signals that were taken are what people said meanwhile."""
    reading, asked = Reading({}, [], []), dict[str, list[dict[str, Any]]]()
    for step in steps:
        message = _message_of(step.output) if step.kind == "stream" else None
        if message is not None:
            asked[step.name] = message.get("tool_calls") or []
            reading.conversation.append(_said_by_model(message))
        elif step.kind == "signal" and step.status == "completed" and not step.name.endswith(": answer"):
            reading.conversation.append(_said_by_signal(step.output))
        elif (call := _call_of(step, asked)) is not None:
            _add_call(reading, step, call)
    return reading


def _message_of(output: Any) -> dict[str, Any] | None:
    """Of the recorded reply of a model."""
    message = output.get("message") if isinstance(output, Mapping) else None
    return dict(message) if isinstance(message, Mapping) and message.get("role") == "assistant" else None


def _said_by_model(message: Mapping[str, Any]) -> dict[str, Any]:
    calls = [{"toolName": one["name"], "params": one["arguments"]} for one in message.get("tool_calls") or []]
    said: dict[str, Any] = {"role": "assistant", "content": _text_of(message.get("content"))}
    return said | ({"toolCalls": calls} if calls else {})


def _text_of(content: Any) -> str:
    parts = content if isinstance(content, list) else [content]
    texts = [one.get("text", "") if isinstance(one, Mapping) else one for one in parts]
    return shortened("".join(text for text in texts if isinstance(text, str)), MAX_SAID)


def _said_by_signal(output: Any) -> dict[str, Any]:
    taken = output if isinstance(output, Mapping) else {}
    payload = taken.get("payload")
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    return {"role": "user", "content": shortened(text, MAX_SAID), "signalName": taken.get("name")}


def _call_of(step: StepView, asked: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any] | None:
    """The call that a step performs, as the model asked for it; the steps of an approval are none."""
    place = naming.chat_turn_and_number(step.name)
    if place is None or naming.tool_of(step.name) is None:
        return None
    chat, turn, number = place
    calls = asked.get(naming.model_step(chat, turn), [])
    return calls[number - 1] if number <= len(calls) else None


def _add_call(reading: Reading, step: StepView, call: Mapping[str, Any]) -> None:
    name, params = str(call["name"]), call["arguments"]
    reading.calls[step.name] = {"tool": name, "params": params}
    if step.status not in ("completed", "failed"):
        return
    succeeded = step.status == "completed"
    text = result_text(step.output) if succeeded else failure_text(name, step.error or {})
    reading.conversation.append({"role": "tool", "content": shortened(text, MAX_SAID), "toolName": name})
    if succeeded and level_of_name(name) is Level.EDITS and isinstance(params.get("path"), str):
        reading.edits.append({"file": params["path"], "operation": name, "step": step.name})
