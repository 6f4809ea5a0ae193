"""Servers that are no vendor, and streams whose bytes come in any pieces."""

import asyncio
import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.client import open_client
from providers.endpoint import Endpoint
from providers.errors import MalformedAnswer, NotSupported, ProviderError, StreamCut
from providers.replies import Reply, TextDelta
from tests.providers.conftest import ask, items_of, reply_of
from tests.providers.servers import STREAM, answering
from tests.vendors import anthropic, openai
from tests.vendors.answers import compose
from tests.vendors.script import Rule


async def ask_at(url: str) -> Reply:
    client = open_client(Endpoint(kind="openai", base_url=url, default_model="m-1"))
    try:
        return await reply_of(client, ask())
    finally:
        await client.aclose()


def whole(kind: str, body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def chunk(**choice: Any) -> bytes:
    data = {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, **choice}],
    }
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


@pytest.mark.parametrize(
    "answer",
    [
        whole("text/html; charset=utf-8", b"<html>Please sign in</html>"),
        whole("application/json", b'{"choices": []}'),
        STREAM + b'data: {"choices": "none"}\n\n',
        STREAM + b'data: {"choices": [{"delta": {"tool_calls": [{"function": 7}]}}]}\n\n',
        STREAM + b"data: [1, 2]\n\n",
        STREAM + b'data: {"model": 7, "choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}\n\n',
        STREAM + b"data: \xff\xfe\n\n",
    ],
    ids=["page", "document", "wrong choices", "wrong call", "list", "number", "no text"],
)
async def test_what_is_no_stream_of_an_answer_is_malformed(answer: bytes) -> None:
    async with answering(answer) as url:
        with pytest.raises(MalformedAnswer):
            await ask_at(url)


@pytest.mark.parametrize("answer", [STREAM, STREAM + b"data: [DONE]\n\n", STREAM + b": ping\n\n"])
async def test_a_stream_without_an_answer_is_cut(answer: bytes) -> None:
    async with answering(answer) as url:
        with pytest.raises(StreamCut):
            await ask_at(url)


async def test_what_breaks_after_the_finish_takes_nothing_away() -> None:
    said = chunk(delta={"role": "assistant", "content": "all"}) + chunk(delta={}, finish_reason="stop")
    async with answering(STREAM.replace(b"Connection: close", b"Transfer-Encoding: chunked"), *framed(said)) as url:
        reply = await ask_at(url)
    assert (reply.message.text, reply.finish_reason) == ("all", "stop")
    assert reply.usage.is_estimated


def framed(body: bytes) -> list[bytes]:
    """One chunk of HTTP's chunked coding without the last one, so that the connection ends too early."""
    return [f"{len(body):x}\r\n".encode(), body, b"\r\n"]


async def test_numbers_of_tokens_that_cannot_be_are_estimated() -> None:
    begun = chunk(delta={"role": "assistant", "content": "twelve words"})
    said = begun + chunk(delta={}, finish_reason="stop")
    usage = {"prompt_tokens": -1000, "completion_tokens": -5, "total_tokens": -1005}
    last = b"data: " + json.dumps({"id": "1", "model": "m", "choices": [], "usage": usage}).encode() + b"\n\n"
    async with answering(STREAM + said + last + b"data: [DONE]\n\n") as url:
        reply = await ask_at(url)
    assert reply.usage.is_estimated
    assert reply.usage.input_tokens > 0
    assert reply.usage.output_tokens > 0


async def test_a_missing_page_without_an_error_of_the_wire_is_a_wrong_address() -> None:
    async with answering(whole("text/plain", b"404 page not found", "404 Not Found")) as url:
        with pytest.raises(NotSupported, match="base URL"):
            await ask_at(url)


async def test_a_long_answer_of_an_error_is_quoted_shortly() -> None:
    body = json.dumps({"error": {"message": "very\nlong " * 10_000}}).encode()
    async with answering(whole("application/json", body, "500 Internal Server Error")) as url:
        with pytest.raises(ProviderError) as caught:
            await ask_at(url)
    assert len(str(caught.value)) < 1000
    assert "\n" not in str(caught.value)


# without the sign of <think>, which begins reasoning, and without the joiner that pydantic-ai puts into special tokens
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<\u200d"), min_size=1)


def streamed(wire: str, deltas: list[str]) -> bytes:
    body = {"model": "m-1", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}], "stream": True}
    speaker = {"openai": openai, "anthropic": anthropic}[wire]
    prompt = speaker.read("chat", body)
    stream = speaker.streamed(prompt, compose(replace(prompt, max_tokens=None), Rule(chunks=deltas)))
    return stream.opening + b"".join(stream.pieces) + stream.closing


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
@settings(max_examples=12, deadline=None)
@given(deltas=st.lists(TEXTS, min_size=1, max_size=5), cuts=st.lists(st.integers(0, 2000), max_size=12))
def test_whatever_the_split_of_bytes_the_reply_is_the_deltas_joined(
    wire: str, deltas: list[str], cuts: list[int]
) -> None:
    body = streamed(wire, ["> ", *deltas])
    places = sorted({0, len(body), *(cut % len(body) for cut in cuts)})
    pieces = [body[start:end] for start, end in pairwise(places)]

    async def read() -> None:
        async with answering(STREAM, *pieces) as url:
            client = open_client(Endpoint.model_validate({"kind": wire, "base_url": url, "default_model": "m-1"}))
            try:
                items = await items_of(client, ask())
            finally:
                await client.aclose()
        reply = items[-1]
        assert isinstance(reply, Reply)
        assert reply.message.text == "".join(item.text for item in items if isinstance(item, TextDelta))
        assert reply.message.text == "> " + "".join(deltas)

    asyncio.run(read())
