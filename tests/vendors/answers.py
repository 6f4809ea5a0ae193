"""The answer to a prompt by a rule: pieces of text, reasoning and tool calls, with what they cost."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tests.vendors.instances import instance
from tests.vendors.prompts import Prompt, Turn, tokens
from tests.vendors.script import Rule, ScriptedCall

REFUSAL = "I'm sorry, but I can't help with that request."


@dataclass(frozen=True)
class Call:
    """A tool call; `fragments` put together are its arguments."""

    id: str
    name: str
    fragments: tuple[str, ...]

    @property
    def arguments(self) -> str:
        return "".join(self.fragments)


@dataclass(frozen=True)
class Usage:
    """Tokens; those from the cache are part of the input, those of reasoning part of the output."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True)
class Answer:
    """`finish` is stop, length, tool_calls, content_filter or refusal; `stop_word` is what it stopped before."""

    chunks: tuple[str, ...]
    reasoning: tuple[str, ...]
    calls: tuple[Call, ...]
    finish: str
    usage: Usage
    stop_word: str = ""

    @property
    def text(self) -> str:
        return "".join(self.chunks)


def compose(prompt: Prompt, rule: Rule) -> Answer:
    """The same prompt and rule get the same answer, always."""
    calls = tuple(_call(prompt, at, call) for at, call in enumerate(_calls(prompt, rule)))
    chunks = () if calls and rule.text is None and not rule.chunks else _chunks(prompt, rule)
    reasoning = _pieces(rule.reasoning) if isinstance(rule.reasoning, str) else tuple(rule.reasoning)
    finish = rule.fault if rule.fault in ("refusal", "content_filter") else "tool_calls" if calls else "stop"
    chunks, stop_word = _stopped(chunks, prompt.stop)
    chunks = tuple(_continued(chunks, prompt.prefill))
    shortened = tuple(_take(chunks, 4 * (prompt.max_tokens or len("".join(chunks)))))
    if shortened != chunks:
        finish = "length"
    usage = _usage(prompt, shortened, reasoning, calls)
    given = rule.usage.model_dump(exclude_none=True)
    return Answer(shortened, reasoning, calls, rule.finish or finish, replace(usage, **given), stop_word)


def default_text(prompt: Prompt) -> str:
    """Derived from the whole conversation, so that another conversation gets another answer."""
    said = json.dumps([prompt.model, [(turn.role, turn.text) for turn in _asked(prompt)]])
    words = " ".join(prompt.user_text.split()[:8])
    return f"answer to {hashlib.sha256(said.encode()).hexdigest()[:8]}: {words}"


def _asked(prompt: Prompt) -> tuple[Turn, ...]:
    return prompt.turns[:-1] if prompt.prefill else prompt.turns


def _calls(prompt: Prompt, rule: Rule) -> list[ScriptedCall]:
    if rule.tool_calls or not prompt.forced_tool or rule.fault:
        return rule.tool_calls
    schema = prompt.tools.get(prompt.forced_tool, {})
    given = rule.json_value if isinstance(rule.json_value, dict) else instance(schema, default_text(prompt))
    return [ScriptedCall(name=prompt.forced_tool, arguments=given)]


def _call(prompt: Prompt, at: int, call: ScriptedCall) -> Call:
    text = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)
    size = max(1, -(-len(text) // call.fragments))
    fragments = tuple(text[start : start + size] for start in range(0, len(text), size))
    seed = f"{prompt.digest} {at} {call.name}"
    return Call(call.id or f"call_{hashlib.sha256(seed.encode()).hexdigest()[:16]}", call.name, fragments)


def _chunks(prompt: Prompt, rule: Rule) -> tuple[str, ...]:
    if rule.chunks:
        return tuple(rule.chunks)
    if rule.text is not None:
        return _pieces(rule.text)
    if rule.fault == "refusal":
        return _pieces(REFUSAL)
    if rule.json_value is not None:
        return _pieces(json.dumps(rule.json_value))
    if prompt.schema is not None:
        return _pieces(json.dumps(instance(prompt.schema, default_text(prompt))))
    return _pieces(default_text(prompt))


def _pieces(text: str) -> tuple[str, ...]:
    """Pieces of about three words, with the blanks before them."""
    return tuple(re.findall(r"(?:\s*\S+){1,3}\s*$|(?:\s*\S+){1,3}", text)) or ((text,) if text else ())


def _take(chunks: Iterable[str], length: int) -> Iterable[str]:
    for chunk in chunks:
        if length > 0:
            yield chunk[:length]
        length -= len(chunk)


def _stopped(chunks: tuple[str, ...], stop: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """What comes before the first of these words, and that word."""
    text = "".join(chunks)
    at, word = min(((text.find(word), word) for word in stop if word in text), default=(len(text), ""))
    return tuple(_take(chunks, at)), word


def _continued(chunks: tuple[str, ...], prefill: str) -> Iterable[str]:
    """What comes after `prefill`, where the answer begins with it; else all of it."""
    left = len(prefill) if prefill and "".join(chunks).startswith(prefill) else 0
    for chunk in chunks:
        if chunk[left:]:
            yield chunk[left:]
        left = max(0, left - len(chunk))


def _usage(prompt: Prompt, chunks: tuple[str, ...], reasoning: tuple[str, ...], calls: tuple[Call, ...]) -> Usage:
    thought = tokens("".join(reasoning))
    said = tokens("".join(chunks)) + sum(tokens(call.name + call.arguments) for call in calls)
    return Usage(prompt.input_tokens, max(1, said + thought), reasoning_tokens=thought)
