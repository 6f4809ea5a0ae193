"""The protocol `claude-code`: Claude Code's own `stream-json` lines, with permissions over its standard input.

Facts: the command's reference (`-p`, `--input-format`, `--permission-prompt-tool`), and Anthropic's claude-agent-sdk
(`control_request` with `can_use_tool`, `control_response`).
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from flows.agents.commanding.errors import CommandMisspoke
from flows.agents.commanding.protocol import (
    Asked,
    InSession,
    Level,
    Order,
    Question,
    Reply,
    Result,
    Said,
    Spent,
    Wanted,
    bare_tool,
)
from flows.agents.spec import Permission
from providers.replies import ReasoningDelta, TextDelta, ToolCallDelta, Usage

READS: Final = frozenset(
    ("Glob", "Grep", "LS", "NotebookRead", "Read", "Task", "Agent", "TodoWrite", "WebFetch", "WebSearch")
)
EDITS: Final = frozenset(("Edit", "MultiEdit", "NotebookEdit", "Write"))
_ASKS = "AskUserQuestion"
_FLAGS = (
    "-p", "--output-format=stream-json", "--input-format=stream-json", "--verbose", "--include-partial-messages",
    "--permission-prompt-tool=stdio", "--permission-mode=default",
    # what the workspace brings could allow itself everything, and start programs
    "--setting-sources=user", "--strict-mcp-config",
)  # fmt: skip
_LONGEST_ARGUMENT = 100_000
"""Bytes: Linux takes 128 KiB for one."""

_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,199}")
_MOST_TOKENS, _HIGHEST_COST = 10**12, 1e9
_AGAIN = "You were cut off. Go on with this, and look first at what is done already:"
_PUT_OFF = "People are asked about this. End your turn now without another word; you are told what they decided."


class ClaudeCode:
    """Who decides about its tools is always asked: its own modes would let a workspace's settings decide."""

    def __init__(self) -> None:
        self._blocks: dict[int, tuple[str, str]] = {}
        self._streamed = ""

    def argv(self, order: Order) -> list[str]:
        flags = [*_FLAGS]
        if order.system and _fits(order.system):
            flags.append(f"--append-system-prompt={order.system}")
        if order.model:
            flags.append(f"--model={order.model}")
        if order.session:
            if not _SESSION.fullmatch(order.session):  # it takes paths, too
                raise CommandMisspoke("is to go on in a session that has no id of its own")
            flags.append(f"--resume={order.session}")
        if order.allowed_tools is not None:
            flags.append("--tools=" + ",".join(sorted({_ASKS, *map(bare_tool, order.allowed_tools)})))
        if order.permission is Permission.READONLY:
            flags.append("--disallowedTools=" + ",".join(sorted(EDITS)))
        return flags

    def opening(self, order: Order) -> Iterable[dict[str, Any]]:
        texts = [_told(reply) for reply in order.replies]
        if not order.again:
            texts = [order.instruction if _fits(order.system) else f"{order.system}\n\n{order.instruction}"]
        elif not texts:
            texts = [_AGAIN, order.instruction]
        content = [{"type": "text", "text": "\n\n".join(texts)}]
        message = {"role": "user", "content": content}
        yield {"type": "user", "session_id": "", "message": message, "parent_tool_use_id": None}

    def read(self, line: dict[str, Any]) -> Iterator[Said]:
        kind = line.get("type")
        if kind == "system" and line.get("subtype") == "init":
            yield from _session(line)
        elif kind == "stream_event" and line.get("parent_tool_use_id") is None:
            yield from self._event(_object(line.get("event")))
        elif kind == "assistant" and line.get("parent_tool_use_id") is None:
            yield from self._message(_object(line.get("message")))
        elif kind == "control_request":
            yield from _asked(str(line.get("request_id", "")), _object(line.get("request")))
        elif kind == "result":
            yield from _session(line)
            yield from _result(line)

    def reply(self, reply: Reply) -> dict[str, Any]:
        asked = reply.asked
        if reply.decision == "approve" and isinstance(asked, Wanted):
            given = asked.input if reply.input is None else reply.input
            return _response(asked.id, {"behavior": "allow", "updatedInput": given})
        return _response(asked.id, {"behavior": "deny", "message": reply.reason or reply.text or "Not allowed."})

    def put_off(self, asked: Asked) -> Iterable[dict[str, Any]]:
        """With an interrupt: it ends its turn, and keeps its session in order."""
        yield _response(asked.id, {"behavior": "deny", "message": _PUT_OFF, "interrupt": True})

    def _event(self, event: dict[str, Any]) -> Iterator[Said]:
        kind, index = event.get("type"), event.get("index")
        if kind == "message_start":
            self._blocks.clear()
            self._streamed = str(_object(event.get("message")).get("id"))
        elif kind == "content_block_start" and isinstance(index, int):
            block = _object(event.get("content_block"))
            if block.get("type") == "tool_use":
                self._blocks[index] = str(block.get("id", "")), str(block.get("name", ""))
        elif kind == "content_block_delta":
            yield from self._delta(index, _object(event.get("delta")))

    def _delta(self, index: Any, delta: dict[str, Any]) -> Iterator[Said]:
        if isinstance(delta.get("text"), str):
            yield TextDelta(text=delta["text"])
        elif isinstance(delta.get("thinking"), str):
            yield ReasoningDelta(text=delta["thinking"])
        elif isinstance(delta.get("partial_json"), str) and isinstance(index, int) and index in self._blocks:
            call, name = self._blocks[index]
            yield ToolCallDelta(index=index, id=call, name=name, arguments=delta["partial_json"])

    def _message(self, message: dict[str, Any]) -> Iterator[Said]:
        """A whole message; one that came in pieces was shown already."""
        content = message.get("content")
        if str(message.get("id")) == self._streamed or not isinstance(content, list):
            return
        for number, block in enumerate(map(_object, content)):
            if isinstance(block.get("text"), str):
                yield TextDelta(text=block["text"])
            elif isinstance(block.get("thinking"), str):
                yield ReasoningDelta(text=block["thinking"])
            elif block.get("type") == "tool_use":
                given = json.dumps(_object(block.get("input")))
                call, name = str(block.get("id", "")), str(block.get("name", ""))
                yield ToolCallDelta(index=number, id=call, name=name, arguments=given)


def _asked(request_id: str, request: dict[str, Any]) -> Iterator[Said]:
    if request.get("subtype") != "can_use_tool":
        return
    tool, given = str(request.get("tool_name", ""))[:100] or "tool", _object(request.get("input"))
    if tool == _ASKS:
        yield _question(request_id, given)
        return
    yield Wanted(id=request_id, tool=tool, input=given, level=_level(tool, request))


def _level(tool: str, request: dict[str, Any]) -> Level:
    """Reading is asked about where it leads out of the workspace, so it counts as more than that."""
    if request.get("blocked_path") or request.get("decision_reason_type") == "workingDir":
        return "runs"
    if tool in EDITS:
        return "edits"
    return "reads" if tool in READS else "runs"


def _question(request_id: str, given: dict[str, Any]) -> Question:
    """Several questions at once are asked as one text, and answered by one."""
    questions = given.get("questions")
    found = [_object(one) for one in questions] if isinstance(questions, list) else []
    texts = [str(one.get("question", "")) for one in found]
    labels = [_labels(one) for one in found]
    if len(found) == 1 and labels[0] and not found[0].get("multiSelect"):
        return Question(id=request_id, text=texts[0] or "?", choices=tuple(labels[0]))
    lines = [f"{text}\n" + "".join(f"\n- {one}" for one in named) for text, named in zip(texts, labels, strict=True)]
    return Question(id=request_id, text="\n\n".join(lines)[:20_000] or "?")


def _labels(question: dict[str, Any]) -> list[str]:
    options = question.get("options")
    named = [str(_object(one).get("label", "")) for one in options] if isinstance(options, list) else []
    return list(dict.fromkeys(one[:500] for one in named if one))[:50]


def _told(reply: Reply) -> str:
    """What people decided, told in a new turn: the request itself was closed when they were asked."""
    asked = reply.asked
    if isinstance(asked, Question):
        return f"You asked: {asked.text}\n\nPeople answered: {reply.text or reply.reason}\n\nGo on with your task."
    call = f"{asked.tool} with {json.dumps(asked.input, ensure_ascii=False)}"
    if reply.decision != "approve":
        return f"You asked to call {call}. It was not approved: {reply.reason}\n\nGo on without it."
    changed = "" if reply.input is None else " It is called with the input that they changed."
    return f"You asked to call {call}. It is approved.{changed} Make exactly this call again, and go on with your task."


def _result(line: dict[str, Any]) -> Iterator[Said]:
    yield _spent(line)
    text = line.get("result") if isinstance(line.get("result"), str) else ""
    if line.get("is_error") or line.get("subtype") != "success":
        errors = line.get("errors")
        listed = "; ".join(map(str, errors)) if isinstance(errors, list) else ""
        told = text or listed or str(line.get("error") or line.get("subtype") or "error")
        yield Result("error", "", error=told[:2000])
        return
    yield Result("done", str(text), line.get("structured_output"))


def _spent(line: dict[str, Any]) -> Spent:
    """Its `input_tokens` are without those that came from the cache, or went into it."""
    usage, cost = _object(line.get("usage")), line.get("total_cost_usd")
    cached, made = _count(usage, "cache_read_input_tokens"), _count(usage, "cache_creation_input_tokens")
    counted = Usage(
        input_tokens=_count(usage, "input_tokens") + cached + made, output_tokens=_count(usage, "output_tokens"),
        cached_tokens=cached,
    )  # fmt: skip
    models = line.get("modelUsage")
    model = next(iter(models), "") if isinstance(models, dict) else ""
    known = isinstance(cost, int | float) and 0 <= cost <= _HIGHEST_COST
    return Spent(counted, str(model)[:200], float(cost) if known and cost is not None else None)


def _count(usage: dict[str, Any], name: str) -> int:
    found = usage.get(name)
    return min(max(found, 0), _MOST_TOKENS) if isinstance(found, int) else 0


def _session(line: dict[str, Any]) -> Iterator[Said]:
    found = line.get("session_id")
    if isinstance(found, str) and 0 < len(found) <= 500:
        yield InSession(found)


def _response(request_id: str, response: dict[str, Any]) -> dict[str, Any]:
    inner = {"subtype": "success", "request_id": request_id, "response": response}
    return {"type": "control_response", "response": inner}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _fits(system: str) -> bool:
    return len(system.encode("utf-8", "replace")) <= _LONGEST_ARGUMENT and "\0" not in system
