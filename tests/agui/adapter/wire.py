"""What a client makes of a stream, and whether it may: written from the protocol's text, apart from what is tested.

Events are read as they go over the wire: JSON objects.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

import jsonpatch
from pydantic import BaseModel

Event = dict[str, Any]
Messages = list[dict[str, Any]]


def on_the_wire(events: Iterable[BaseModel]) -> list[Event]:
    """Events or messages as JSON."""
    return [json.loads(event.model_dump_json(by_alias=True)) for event in events]


def violation(events: list[Event]) -> str:
    """What of a stream breaks a rule of the official client (1-7), or a MUST that it does not check; empty if legal.

    Read as a language: the runs of a stream are words of one, what is said of each message, call and step of another.
    """
    letters = "".join(_RUN_LETTERS.get(event["type"], ".") for event in events)
    if not re.fullmatch(r"E?(S\.*FE?|S\.*E)*(S\.*)?", letters):
        return f"runs: {letters}"
    if len({event["threadId"] for event in events if event["type"] in ("RUN_STARTED", "RUN_FINISHED")}) > 1:
        return "two threads"
    runs = re.finditer(r"S\.*[FE]?", letters)
    return next((problem for run in runs if (problem := _violation_of_run(events[run.start() : run.end()]))), "")


def _violation_of_run(run: list[Event]) -> str:
    told: dict[tuple[str, str], str] = {}
    for event in run:
        for pattern, (key, letter) in _ITEM_LETTERS.items():
            if found := re.fullmatch(pattern, event["type"]):
                item = (found[1], event[key])
                told[item] = told.get(item, "") + letter
    last = run[-1]
    whole = last["type"] == "RUN_FINISHED"
    if whole and last["runId"] != run[0]["runId"]:
        return "another run's end"
    ids = [interrupt["id"] for interrupt in last.get("outcome", {}).get("interrupts", [])]
    if len(ids) > len(set(ids)):
        return "an interrupt twice"
    grammar = r"(oc*x)*" if whole else r"(oc*x)*(oc*)?"
    return next((f"{item}: {word}" for item, word in told.items() if not re.fullmatch(grammar, word)), "")


_RUN_LETTERS = {"RUN_STARTED": "S", "RUN_FINISHED": "F", "RUN_ERROR": "E"}
_ITEM_LETTERS = {
    r"(TEXT_MESSAGE|REASONING_MESSAGE|REASONING)_START": ("messageId", "o"),
    r"(TEXT_MESSAGE|REASONING_MESSAGE)_CONTENT": ("messageId", "c"),
    r"(TEXT_MESSAGE|REASONING_MESSAGE|REASONING)_END": ("messageId", "x"),
    r"(TOOL_CALL)_START": ("toolCallId", "o"),
    r"(TOOL_CALL)_ARGS": ("toolCallId", "c"),
    r"(TOOL_CALL)_END": ("toolCallId", "x"),
    r"(STEP)_STARTED": ("stepName", "o"),
    r"(STEP)_FINISHED": ("stepName", "x"),
    r"(SUBAGENT)_STARTED": ("subagentRunId", "o"),
    r"(SUBAGENT)_(?:FINISHED|ERROR)": ("subagentRunId", "x"),
}


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
