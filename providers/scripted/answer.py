"""What one rule of a scenario answers to one request, before any of it is sent."""

import json
import re
from typing import Any, Final

from providers.errors import ERRORS, ProviderError, StreamCut
from providers.estimates import count, estimate
from providers.messages import Message, ToolCall
from providers.replies import FinishReason, Reply, ToolCallDelta
from providers.requests import ChatRequest
from providers.scripted import answers
from providers.scripted.scenario import Chunk, Pieces, Rule

KIND: Final = "scripted"


class Answer:
    def __init__(self, request: ChatRequest, rule: Rule, found: re.Match[str] | None) -> None:
        self._request, self._rule = request, rule
        self._names = _names(request, found)
        self._calls = [
            ToolCall(
                id=call.id or f"call_{answers.digest(request.last_user_text)}_{index}",
                name=call.name,
                arguments=self._filled(call.arguments),
            )
            for index, call in enumerate(rule.tool_calls)
        ]
        self.reasoning = self._pieces(rule.reasoning)
        self.chunks, self._was_cut = self._limited(self._whole_chunks())

    def _whole_chunks(self) -> list[Chunk]:
        rule = self._rule
        if rule.chunks:
            return [chunk for chunk in self._pieces(rule.chunks) if chunk.text]
        if rule.text is not None:
            return self._pieces(rule.text)
        if rule.makes_its_own_text:
            return self._even(json.dumps(self._filled(rule.json_), ensure_ascii=False))
        return [] if rule.tool_calls else self._even(answers.default_text(self._request))

    def _pieces(self, given: str | Pieces) -> list[Chunk]:
        """In the rule's own pieces, or in even ones, each with its delay."""
        if isinstance(given, str):
            return self._even(self._filled(given))
        return [
            one.model_copy(update={"text": self._filled(one.text)}) if isinstance(one, Chunk) else self._chunk(one)
            for one in given
        ]

    def _even(self, text: str) -> list[Chunk]:
        delay = self._rule.chunk_delay_seconds
        return [Chunk(text=piece, delay_seconds=delay) for piece in answers.pieces(text)]

    def _chunk(self, text: str) -> Chunk:
        return Chunk(text=self._filled(text), delay_seconds=self._rule.chunk_delay_seconds)

    def _limited(self, chunks: list[Chunk]) -> tuple[list[Chunk], bool]:
        """After what is there already, before a stop word, and within `max_tokens`."""
        whole = _text(chunks)
        ends = [whole.find(word) for word in self._request.stop if word and word in whole]
        end, start = min(ends, default=len(whole)), 0
        if whole.startswith(self._request.continue_from):
            start = len(self._request.continue_from)
        most = start + (self._request.max_tokens or len(whole)) * 4
        return _slice(chunks, start, min(end, most)), most < end

    def _filled(self, value: Any) -> Any:
        """`{{prompt}}`, `{{tool_result}}`, `{{tool_results}}` and the groups of `match` put in, in every string."""
        if self._rule.is_literal:
            return value
        if isinstance(value, str):
            return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda name: self._names.get(name[1], name[0]), value)
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if isinstance(value, dict):
            return {name: self._filled(item) for name, item in value.items()}
        return value

    def call_deltas(self) -> list[ToolCallDelta]:
        return [
            ToolCallDelta(index=index, id=call.id, name=call.name, arguments=fragment)
            for index, call in enumerate(self._calls)
            for fragment in answers.fragments(json.dumps(call.arguments, ensure_ascii=False))
        ]

    def failure(self, said: str) -> ProviderError:
        fail = self._rule.fail
        assert fail is not None
        problem = fail.message or f"The scripted provider fails here with {fail.code}, as its scenario says."
        usage = estimate(self._request, said) if said else None
        if fail.code == StreamCut.code:
            return StreamCut(problem, text=said, retry_after=fail.retry_after, usage=usage)
        return ERRORS[fail.code](problem, retry_after=fail.retry_after, usage=usage)

    def reply(self, model: str) -> Reply:
        text, reasoning = _text(self.chunks), _text(self.reasoning)
        calls = "".join(json.dumps(call.arguments) for call in self._calls)
        usage = estimate(self._request, text + reasoning + calls)
        return Reply(
            message=Message(role="assistant", content=text, reasoning=reasoning, tool_calls=self._calls),
            finish_reason=self._finish_reason(),
            usage=usage.model_copy(update={"reasoning_tokens": count(reasoning), "is_estimated": False}),
            model=model,
            provider_kind=KIND,
        )

    def _finish_reason(self) -> FinishReason:
        if self._rule.finish_reason:
            return self._rule.finish_reason
        return "length" if self._was_cut else "tool_calls" if self._calls else "stop"


def _names(request: ChatRequest, found: re.Match[str] | None) -> dict[str, str]:
    results = [message.text for message in request.messages if message.role == "tool"]
    names = {"prompt": request.last_user_text, "tool_result": results[-1] if results else ""}
    names["tool_results"] = "\n\n".join(_results_since_user(request))
    if found:
        names |= {str(number): group or "" for number, group in enumerate(found.groups(), start=1)}
        names |= {name: group or "" for name, group in found.groupdict().items()}
    return names


def _results_since_user(request: ChatRequest) -> list[str]:
    found: list[str] = []
    for message in reversed(request.messages):
        if message.role == "user":
            break
        if message.role == "tool":
            found.append(message.text)
    return found[::-1]


def _text(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


def _slice(chunks: list[Chunk], start: int, end: int) -> list[Chunk]:
    """The characters from start to end, in the chunks that they were in."""
    sliced, at = [], 0
    for chunk in chunks:
        piece = chunk.text[max(start - at, 0) : max(end - at, 0)]
        at += len(chunk.text)
        if piece:
            sliced.append(chunk.model_copy(update={"text": piece}))
    return sliced
