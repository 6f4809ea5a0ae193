"""A stream's events in our deltas, and the reply that they add up to."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic_ai.messages import (
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
)

from providers.errors import MalformedAnswer, Refused, StreamCut
from providers.estimates import count, estimate
from providers.messages import Message, SignedReasoning, ToolCall
from providers.replies import FinishReason, ReasoningDelta, Reply, TextDelta, ToolCallDelta, Usage
from providers.requests import ChatRequest

Delta = TextDelta | ReasoningDelta | ToolCallDelta


@dataclass
class _Call:
    index: int
    id: str
    name: str
    fragments: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        return "".join(self.fragments)


@dataclass
class Gathered:
    """What one call has brought so far. `answer_tool`: the tool by which a schema's answer is asked for, if so."""

    request: ChatRequest
    kind: str
    answer_tool: str | None = None
    calls: dict[int, _Call] = field(default_factory=dict)
    answering: set[int] = field(default_factory=set)
    _text: list[str] = field(default_factory=list)
    _reasoning: list[str] = field(default_factory=list)
    _doubled: str = field(init=False)

    def __post_init__(self) -> None:
        before = self.request.continue_from
        self._doubled = before[len(before.rstrip()) :] if before.strip() else ""

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def reasoning(self) -> str:
        return "".join(self._reasoning)

    def deltas(self, event: ModelResponseStreamEvent) -> Iterator[Delta]:
        if isinstance(event, PartStartEvent):
            yield from self._start(event.index, event.part)
        elif isinstance(event, PartDeltaEvent):
            yield from self._more(event.index, event.delta)

    def _start(self, index: int, part: object) -> Iterator[Delta]:
        match part:
            case TextPart():
                yield from self._said(part.content)
            case ThinkingPart():
                yield from self._thought(part.content)
            case ToolCallPart() if part.tool_name == self.answer_tool:
                self.answering.add(index)
                yield from self._said(_fragment(part.args))
            case ToolCallPart():
                self.calls[index] = _Call(len(self.calls), part.tool_call_id, part.tool_name)
                yield self._called(index, _fragment(part.args))

    def _more(self, index: int, delta: object) -> Iterator[Delta]:
        match delta:
            case TextPartDelta():
                yield from self._said(delta.content_delta)
            case ThinkingPartDelta():
                yield from self._thought(delta.content_delta or "")
            case ToolCallPartDelta() if index in self.answering:
                yield from self._said(_fragment(delta.args_delta))
            case ToolCallPartDelta() if index in self.calls:
                yield self._called(index, _fragment(delta.args_delta))

    def _said(self, text: str) -> Iterator[TextDelta]:
        """White space that was taken off `continue_from` is there already; the model may say it again."""
        while text and self._doubled and text[0] == self._doubled[0]:
            text, self._doubled = text[1:], self._doubled[1:]
        if text:
            self._doubled = ""
            self._text.append(text)
            yield TextDelta(text=text)

    def _thought(self, text: str) -> Iterator[ReasoningDelta]:
        if text:
            self._reasoning.append(text)
            yield ReasoningDelta(text=text)

    def _called(self, index: int, fragment: str) -> ToolCallDelta:
        call = self.calls[index]
        call.fragments.append(fragment)
        return ToolCallDelta(index=call.index, id=call.id, name=call.name, arguments=fragment)

    def reply(self, response: ModelResponse) -> Reply:
        """Raises StreamCut without the vendor's word that it was all, Refused, and MalformedAnswer for broken calls."""
        details = response.provider_details or {}
        usage = self.usage(response)
        if response.finish_reason == "content_filter":
            raise Refused(self._refusal(details), usage=usage)
        if not details.get("finish_reason"):
            raise self.cut("The stream ended before the answer was complete.", response)
        is_limited = response.finish_reason == "length"
        calls = [call for one in self.calls.values() if (call := _parsed(one, usage, is_limited=is_limited))]
        return Reply(
            message=Message(
                role="assistant",
                content=self.text,
                reasoning=self.reasoning,
                tool_calls=calls,
                signed_reasoning=_signed(response),
            ),
            finish_reason=_finish_reason(is_limited=is_limited, calls=calls),
            usage=usage,
            model=response.model_name or self.request.model or "",
            provider_kind=self.kind,
        )

    def _refusal(self, details: dict[str, Any]) -> str:
        said = details.get("refusal") or (self.text if details.get("finish_reason") == "refusal" else "")
        if not said:
            return "The provider's content filter stopped the answer."
        said = " ".join(said.split())[:300]
        return f"The model refused to answer: {said}{'' if said.endswith('.') else '.'}"

    def cut(self, problem: str, response: ModelResponse | None) -> StreamCut:
        return StreamCut(problem, text=self.text, usage=self.usage(response))

    def usage(self, response: ModelResponse | None) -> Usage:
        """As the vendor said; what it did not say is estimated from what came."""
        answered = self.text + self.reasoning + "".join(call.arguments for call in self.calls.values())
        guess = estimate(self.request, answered)
        if response is None:
            return guess
        told, details = response.usage, response.provider_details or {}
        is_whole = bool(details.get("finish_reason") or details.get("refusal"))
        if told.input_tokens < 0 or told.output_tokens < 0 or not (told.input_tokens or told.output_tokens):
            return guess
        spent = told.output_tokens if is_whole else max(told.output_tokens, guess.output_tokens)
        return Usage(
            input_tokens=told.input_tokens or guess.input_tokens,
            output_tokens=spent,
            cached_tokens=max(told.cache_read_tokens, 0),
            reasoning_tokens=max(told.details.get("reasoning_tokens", 0), 0) or min(count(self.reasoning), spent),
            is_estimated=not is_whole or not told.input_tokens,
        )


def _fragment(arguments: str | dict[str, Any] | None) -> str:
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return json.dumps(arguments, ensure_ascii=False)


def _parsed(call: _Call, usage: Usage, *, is_limited: bool) -> ToolCall | None:
    """None for a call that the limit of tokens cut short."""
    try:
        arguments = json.loads(call.arguments or "{}")
    except ValueError:
        arguments = None
    if isinstance(arguments, dict):
        return ToolCall(id=call.id, name=call.name, arguments=arguments)
    if is_limited:
        return None
    problem = f"The model called the tool {call.name!r} with arguments that are no JSON object."
    raise MalformedAnswer(problem, usage=usage)


def _finish_reason(*, is_limited: bool, calls: list[ToolCall]) -> FinishReason:
    return "length" if is_limited else "tool_calls" if calls else "stop"


def _signed(response: ModelResponse) -> list[SignedReasoning]:
    return [
        SignedReasoning(text=part.content, signature=part.signature, id=part.id, provider=part.provider_name or "")
        for part in response.parts
        if isinstance(part, ThinkingPart) and part.signature
    ]
