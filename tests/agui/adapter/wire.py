"""What a client makes of a stream, and whether it may: written from the protocol's text, apart from what is tested.

Events are read as they go over the wire: JSON objects.
"""

import json
from collections.abc import Iterable
from typing import Any

import jsonpatch
from ag_ui.core import BaseEvent

Event = dict[str, Any]
Messages = list[dict[str, Any]]


def on_the_wire(events: Iterable[BaseEvent]) -> list[Event]:
    return [json.loads(event.model_dump_json(by_alias=True)) for event in events]


def first_violation(events: Iterable[Event]) -> str:
    """The rule that a stream breaks first; empty for a legal one. Rules 1-7 of the official client, and its MUSTs."""
    running, failed, started, thread, run = False, False, False, "", ""
    opened: set[tuple[str, str]] = set()
    for number, event in enumerate(events):
        kind = event["type"]
        where = f"{number} {kind}"
        if not started and kind not in ("RUN_STARTED", "RUN_ERROR"):
            return f"{where}: first"
        started = True
        if kind == "RUN_STARTED":
            if running or (thread and thread != event["threadId"]):
                return f"{where}: runs"
            running, failed, thread, run = True, False, event["threadId"], event["runId"]
            opened.clear()
            continue
        if kind == "RUN_ERROR":
            if failed:
                return f"{where}: failed twice"
            running, failed = False, True
            continue
        if not running:
            return f"{where}: no run"
        if kind == "RUN_FINISHED":
            if opened or (event["threadId"], event["runId"]) != (thread, run):
                return f"{where}: open {opened}"
            ids = [one["id"] for one in event.get("outcome", {}).get("interrupts", [])]
            if len(ids) != len(set(ids)):
                return f"{where}: interrupts"
            running = False
            continue
        for suffix, family, key in (
            ("TEXT_MESSAGE_", "text", "messageId"), ("REASONING_MESSAGE_", "thought", "messageId"),
            ("TOOL_CALL_", "call", "toolCallId"), ("REASONING_", "span", "messageId"), ("STEP_", "step", "stepName"),
            ("SUBAGENT_", "subagent", "subagentRunId"),
        ):  # fmt: skip
            if not kind.startswith(suffix):
                continue
            what, item = kind.removeprefix(suffix), (family, event.get(key))
            if what in ("START", "STARTED"):
                if item in opened:
                    return f"{where}: is open"
                opened.add(item)
            elif what in ("CONTENT", "ARGS", "END", "FINISHED", "ERROR"):
                if item not in opened:
                    return f"{where}: is not open"
                if what not in ("CONTENT", "ARGS"):
                    opened.discard(item)
            break
    return ""


class Client:
    """The messages and the state of one client, as the official one applies events."""

    def __init__(self, messages: Messages) -> None:
        self.messages: Messages = json.loads(json.dumps(messages))
        self.state: Any = {}

    def apply(self, event: Event) -> None:
        act = getattr(self, "_" + event["type"].lower(), None)
        if act is not None:
            act(event)

    def _find(self, message_id: str, role: str) -> dict[str, Any]:
        for message in self.messages:
            if message["id"] == message_id:
                return message
        self.messages.append({"id": message_id, "role": role, "content": ""})
        return self.messages[-1]

    def _text_message_start(self, event: Event) -> None:
        self._find(event["messageId"], event["role"]).setdefault("content", "")

    def _text_message_content(self, event: Event) -> None:
        self._find(event["messageId"], "assistant")["content"] += event["delta"]

    def _reasoning_message_start(self, event: Event) -> None:
        self._find(event["messageId"], "reasoning")

    def _reasoning_message_content(self, event: Event) -> None:
        self._find(event["messageId"], "reasoning")["content"] += event["delta"]

    def _call(self, call_id: str) -> tuple[int, dict[str, Any]]:
        return next(
            (index, call) for index, message in enumerate(self.messages) for call in message.get("toolCalls", ())
            if call["id"] == call_id
        )  # fmt: skip

    def _tool_call_start(self, event: Event) -> None:
        parent = self._find(event["parentMessageId"], "assistant")
        calls = parent.setdefault("toolCalls", [])
        if all(call["id"] != event["toolCallId"] for call in calls):
            function = {"name": event["toolCallName"], "arguments": ""}
            calls.append({"id": event["toolCallId"], "type": "function", "function": function})

    def _tool_call_args(self, event: Event) -> None:
        self._call(event["toolCallId"])[1]["function"]["arguments"] += event["delta"]

    def _tool_call_result(self, event: Event) -> None:
        at = self._call(event["toolCallId"])[0] + 1
        while at < len(self.messages) and self.messages[at]["role"] == "tool":
            at += 1
        told = {
            "id": event["messageId"],
            "role": "tool",
            "toolCallId": event["toolCallId"],
            "content": event["content"],
        }
        self.messages.insert(at, told)

    def _messages_snapshot(self, event: Event) -> None:
        told = {message["id"]: message for message in event["messages"]}
        kept = {"activity", "reasoning"} - {message["role"] for message in event["messages"]}
        held = [told.get(one["id"], one) for one in self.messages if one["id"] in told or one["role"] in kept]
        new = [message for message in event["messages"] if message["id"] not in {one["id"] for one in self.messages}]
        self.messages = json.loads(json.dumps([*held, *new]))

    def _state_snapshot(self, event: Event) -> None:
        self.state = event["snapshot"]

    def _state_delta(self, event: Event) -> None:
        self.state = jsonpatch.apply_patch(self.state, event["delta"])

    def transcript(self) -> Messages:
        return transcript(self.messages)


def transcript(messages: Iterable[dict[str, Any]]) -> Messages:
    """What counts of messages: arguments as JSON values, and no reasoning that was emptied."""
    told: Messages = []
    for message in messages:
        if message["role"] == "reasoning" and not message["content"]:
            continue
        calls = [
            {"id": call["id"], "name": call["function"]["name"], "arguments": json.loads(call["function"]["arguments"])}
            for call in message.get("toolCalls", ())
        ]
        told.append({**message, "content": message.get("content") or "", "toolCalls": calls})
    return told
