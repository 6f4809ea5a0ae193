"""The scripted provider behind the protocol of all providers. It calls nobody."""

import asyncio
import base64
import json
import re
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from providers.endpoint import Endpoint
from providers.errors import ERRORS, ProviderError, StreamCut
from providers.estimates import count, estimate
from providers.messages import ImagePart, Message, ToolCall
from providers.replies import (
    ChatItem,
    Embeddings,
    FinishReason,
    Images,
    ReasoningDelta,
    Reply,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from providers.requests import ChatRequest
from providers.scripted import answers
from providers.scripted.scenario import Rule, load

MODEL = "scripted"


class ScriptedClient:
    kind = "scripted"
    can_continue = True

    def __init__(self, endpoint: Endpoint) -> None:
        self._scenario = load(endpoint.extra.get("scenario"))
        self._model = endpoint.default_model or MODEL
        self._used: Counter[int] = Counter()

    async def chat(self, request: ChatRequest) -> AsyncGenerator[ChatItem, None]:
        model = request.model or self._model
        rule, found = self._rule(request, model)
        answer = _Answer(request, rule, found)
        await asyncio.sleep(rule.delay_seconds)
        for number, piece in enumerate(answer.reasoning):
            await asyncio.sleep(rule.chunk_delay_seconds if number else 0)
            yield ReasoningDelta(text=piece)
        said = ""
        for number, piece in enumerate(answer.chunks):
            if rule.fail and number >= rule.fail.after_chunks:
                break
            await asyncio.sleep(rule.chunk_delay_seconds)
            said += piece
            yield TextDelta(text=piece)
        if rule.fail:
            raise answer.failure(said)
        for delta in answer.call_deltas():
            await asyncio.sleep(rule.chunk_delay_seconds)
            yield delta
        yield answer.reply(model)

    def _rule(self, request: ChatRequest, model: str) -> tuple[Rule, re.Match[str] | None]:
        for number, rule in enumerate(self._scenario.rules):
            found = rule.found(request, model)
            if found and (rule.times is None or self._used[number] < rule.times):
                self._used[number] += 1
                return rule, found
        return Rule(), None

    async def embed(self, texts: Sequence[str], model: str | None = None) -> Embeddings:
        return Embeddings(
            vectors=[answers.vector(text) for text in texts],
            usage=Usage(input_tokens=sum(count(text) for text in texts)),
            model=model or self._model,
        )

    async def image(self, prompt: str, model: str | None = None, size: str | None = None) -> Images:
        data = base64.b64encode(answers.picture(prompt)).decode()
        usage = Usage(input_tokens=count(prompt))
        return Images(images=[ImagePart(data=data)], usage=usage, model=model or self._model)

    async def aclose(self) -> None:
        """Nothing is open."""


class _Answer:
    """What one rule answers to one request, before any of it is sent."""

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
        reasoning = self._filled(rule.reasoning)
        self.reasoning: list[str] = answers.pieces(reasoning) if isinstance(reasoning, str) else reasoning
        self.chunks, self._was_cut = self._limited(self._whole_chunks())

    def _whole_chunks(self) -> list[str]:
        rule = self._rule
        if rule.chunks:
            return [chunk for chunk in self._filled(rule.chunks) if chunk]
        if rule.text is not None:
            return answers.pieces(self._filled(rule.text))
        if rule.makes_its_own_text:
            return answers.pieces(json.dumps(self._filled(rule.json_), ensure_ascii=False))
        return [] if rule.tool_calls else answers.pieces(answers.default_text(self._request))

    def _limited(self, chunks: list[str]) -> tuple[list[str], bool]:
        """After what is there already, before a stop word, and within `max_tokens`."""
        whole = "".join(chunks)
        ends = [whole.find(word) for word in self._request.stop if word and word in whole]
        end, start = min(ends, default=len(whole)), 0
        if whole.startswith(self._request.continue_from):
            start = len(self._request.continue_from)
        most = start + (self._request.max_tokens or len(whole)) * 4
        return _slice(chunks, start, min(end, most)), most < end

    def _filled(self, value: Any) -> Any:
        """`{{prompt}}`, `{{tool_result}}`, `{{tool_results}}` and the groups of `match` put in, in every string."""
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
        text, reasoning = "".join(self.chunks), "".join(self.reasoning)
        calls = "".join(json.dumps(call.arguments) for call in self._calls)
        usage = estimate(self._request, text + reasoning + calls)
        return Reply(
            message=Message(role="assistant", content=text, reasoning=reasoning, tool_calls=self._calls),
            finish_reason=self._finish_reason(),
            usage=usage.model_copy(update={"reasoning_tokens": count(reasoning), "is_estimated": False}),
            model=model,
            provider_kind=ScriptedClient.kind,
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


def _slice(chunks: list[str], start: int, end: int) -> list[str]:
    """The characters from start to end, in the chunks that they were in."""
    sliced, at = [], 0
    for chunk in chunks:
        piece = chunk[max(start - at, 0) : max(end - at, 0)]
        at += len(chunk)
        if piece:
            sliced.append(piece)
    return sliced
