"""`?compat=jobworkerp`: the events as older frontends know them, from before the protocol's 1.0. Pure.

What they have no name for comes as CUSTOM: nothing is left out, and no type that they do not know is sent.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from ag_ui.core import AssistantMessage, BaseEvent, EventType, Interrupt, Message, RunErrorEvent, RunFinishedEvent

from flows.llm.tools.naming import shown_tool_name

HUMAN_INPUT: Final = "HUMAN_INPUT"
_CANCELLED: Final = {"code": "CANCELLED", "message": "Workflow cancelled by user"}


class OlderShape:
    """One protocol run in the older shape. `messages` gives the transcript, for calls that an earlier stream told.

    A question that is about no call becomes a call of HUMAN_INPUT, whose result is the answer: the first of them is
    `wait_<runId>`, others are `wait_<interrupt id>`.
    """

    def __init__(self, run_id: str, workflow: str, messages: Callable[[], Sequence[Message]]) -> None:
        self._run_id, self._workflow, self._messages = run_id, workflow, messages

    def of(self, event: BaseEvent) -> list[dict[str, Any]]:
        """The event as JSON objects, none or several; a client that got the last of them has the event."""
        if isinstance(event, RunFinishedEvent):
            shapes = self._finished(event)
        elif isinstance(event, RunErrorEvent):
            shapes = [self._failed(event)]
        elif event.type in _AS_THEY_ARE:
            shapes = [_dumped(event, "timestamp")]
        elif event.type not in _SHAPES:
            shapes = [_custom(event)]
        else:
            shapes = [{"type": event.type.value} | _SHAPES[event.type](event)]
        at = {} if event.timestamp is None else {"timestamp": float(event.timestamp)}
        return [shape | at for shape in shapes]

    def _finished(self, event: RunFinishedEvent) -> list[dict[str, Any]]:
        kind = event.outcome.type if event.outcome is not None else "success"
        if kind == "cancelled":
            return [{"type": "RUN_ERROR", "runId": self._run_id} | _CANCELLED]
        end = {"type": "RUN_FINISHED", "runId": self._run_id, "outcome": kind}
        if event.result is not None:
            end["result"] = event.result
        interrupts: list[Interrupt] = getattr(event.outcome, "interrupts", None) or []
        if not interrupts:
            return [end]
        pending = [self._pending(interrupt, is_first) for interrupt, is_first in _with_first(interrupts)]
        asked = [one for one in pending if one["fnName"] == HUMAN_INPUT]
        return [
            *(shape for call in asked for shape in _as_call(call)),
            end | {"interrupt": self._one(interrupts, pending)},
        ]

    def _one(self, interrupts: list[Interrupt], pending: list[dict[str, Any]]) -> dict[str, Any]:
        """The older shape has one interrupt for all; `interrupts` names each, to be resumed by `resume`."""
        about_calls = all(interrupt.tool_call_id for interrupt in interrupts)
        payload = {"pendingToolCalls": pending, "checkpointPosition": "", "workflowName": self._workflow}
        return {
            "id": interrupts[0].id, "payload": payload, "interrupts": [interrupt.id for interrupt in interrupts],
            "reason": "tool_approval_required" if about_calls else "human_input_required",
        }  # fmt: skip

    def _pending(self, interrupt: Interrupt, is_first: bool) -> dict[str, Any]:
        if interrupt.tool_call_id is None:
            own_id = f"wait_{self._run_id if is_first else interrupt.id}"
            asked = {"message": interrupt.message, "schema": interrupt.response_schema}
            told = json.dumps({name: value for name, value in asked.items() if value is not None}, ensure_ascii=False)
            return {"callId": own_id, "fnName": HUMAN_INPUT, "fnArguments": told}
        calls = (call for message in self._messages() if isinstance(message, AssistantMessage)
                 for call in message.tool_calls or ())  # fmt: skip
        found = next((call.function for call in calls if call.id == interrupt.tool_call_id), None)
        name, arguments = (found.name, found.arguments) if found else ("", "")
        return {"callId": interrupt.tool_call_id, "fnName": shown_tool_name(name), "fnArguments": arguments}

    def _failed(self, event: RunErrorEvent) -> dict[str, Any]:
        told = _CANCELLED if event.code == "STOPPED" else {"message": event.message, "code": event.code}
        return {"type": "RUN_ERROR", "runId": self._run_id} | {key: one for key, one in told.items() if one is not None}


def _with_first(interrupts: list[Interrupt]) -> list[tuple[Interrupt, bool]]:
    """Each, and whether it is the first that is about no call."""
    first = next((one.id for one in interrupts if one.tool_call_id is None), None)
    return [(one, one.id == first) for one in interrupts]


def _as_call(call: dict[str, Any]) -> list[dict[str, Any]]:
    own = {"toolCallId": call["callId"]}
    return [
        {"type": "TOOL_CALL_START", "toolCallName": HUMAN_INPUT} | own,
        {"type": "TOOL_CALL_ARGS", "delta": call["fnArguments"]} | own,
        {"type": "TOOL_CALL_END"} | own,
    ]


def _custom(event: BaseEvent) -> dict[str, Any]:
    """An event that the older shape does not know."""
    return {"type": "CUSTOM", "name": event.type.value, "data": _dumped(event, "type", "timestamp")}


def _dumped(event: BaseEvent, *without: str) -> dict[str, Any]:
    dumped: dict[str, Any] = event.model_dump(mode="json", by_alias=True, exclude=set(without))
    return dumped


def _started(event: Any) -> dict[str, Any]:
    return {"runId": event.run_id, "threadId": event.thread_id}


def _step(event: Any) -> dict[str, Any]:
    return {"stepId": event.step_name, "stepName": event.step_name}


def _step_end(event: Any) -> dict[str, Any]:
    return {"stepId": event.step_name}


def _call(event: Any) -> dict[str, Any]:
    parent = {} if event.parent_message_id is None else {"parentMessageId": event.parent_message_id}
    return {"toolCallId": event.tool_call_id, "toolCallName": shown_tool_name(event.tool_call_name)} | parent


def _result(event: Any) -> dict[str, Any]:
    return {"toolCallId": event.tool_call_id, "result": event.content}


def _own(event: Any) -> dict[str, Any]:
    return {"name": event.name, "data": event.value}


_SHAPES: Final[dict[EventType, Callable[[Any], dict[str, Any]]]] = {
    EventType.RUN_STARTED: _started,
    EventType.STEP_STARTED: _step,
    EventType.STEP_FINISHED: _step_end,
    EventType.TOOL_CALL_START: _call,
    EventType.TOOL_CALL_RESULT: _result,
    EventType.CUSTOM: _own,
}
_AS_THEY_ARE: Final = frozenset({
    EventType.TEXT_MESSAGE_START, EventType.TEXT_MESSAGE_CONTENT, EventType.TEXT_MESSAGE_END,
    EventType.TOOL_CALL_ARGS, EventType.TOOL_CALL_END, EventType.STATE_SNAPSHOT, EventType.STATE_DELTA, EventType.RAW,
})  # fmt: skip
