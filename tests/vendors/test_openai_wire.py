"""OpenAI's own client understands what the fake vendor answers."""

import base64
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.vendors.process import FakeVendor

HELLO: Any = [{"role": "user", "content": "Say hello to the world"}]
LOOK: Any = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


class City(BaseModel):
    name: str
    people: int
    rivers: list[str]


async def test_text_streams_in_pieces_and_ends_with_its_usage(gpt: openai.AsyncOpenAI) -> None:
    stream = await gpt.chat.completions.create(
        model="m", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert len(pieces) > 1
    assert "".join(pieces).endswith(": Say hello to the world")
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage
    assert chunks[-1].usage.total_tokens == chunks[-1].usage.prompt_tokens + chunks[-1].usage.completion_tokens


async def test_usage_is_not_streamed_unasked(gpt: openai.AsyncOpenAI) -> None:
    stream = await gpt.chat.completions.create(model="m", messages=HELLO, stream=True)
    assert all([chunk.choices and chunk.usage is None async for chunk in stream])


async def test_the_same_call_gets_the_same_answer_streamed_or_whole(gpt: openai.AsyncOpenAI) -> None:
    stream = await gpt.chat.completions.create(model="m", messages=HELLO, stream=True)
    streamed = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    whole = await gpt.chat.completions.create(model="m", messages=HELLO)
    other = await gpt.chat.completions.create(model="n", messages=HELLO)
    assert whole.choices[0].message.content == streamed
    assert other.choices[0].message.content != streamed


async def test_tool_calls_come_in_fragments(gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    vendor.script([{"tool_calls": [{"name": "look", "arguments": {"where": "under the table"}}, {"name": "look"}]}])
    async with gpt.chat.completions.stream(model="m", messages=HELLO, tools=[LOOK]) as stream:
        events = [event async for event in stream if event.type == "chunk"]
    calls: dict[int, str] = {}
    deltas = [call for event in events for call in event.chunk.choices[0].delta.tool_calls or []]
    for delta in deltas:
        assert delta.function
        calls[delta.index] = calls.get(delta.index, "") + (delta.function.arguments or "")
    assert calls == {0: '{"where": "under the table"}', 1: "{}"}
    assert len(deltas) > 4
    assert [delta.id for delta in deltas if delta.id] == [delta.id for delta in deltas if delta.type]
    assert events[-1].chunk.choices[0].finish_reason == "tool_calls"


async def test_reasoning_comes_before_the_text(gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    vendor.script([{"reasoning": ["Let me ", "think."], "text": "Hello."}])
    stream = await gpt.chat.completions.create(model="m", messages=HELLO, stream=True)
    deltas = [chunk.choices[0].delta async for chunk in stream]
    assert [getattr(delta, "reasoning_content", "") for delta in deltas[1:3]] == ["Let me ", "think."]
    assert deltas[3].content == "Hello."


async def test_a_schema_is_answered_with_a_valid_instance(gpt: openai.AsyncOpenAI) -> None:
    found = await gpt.chat.completions.parse(model="m", messages=HELLO, response_format=City)
    assert isinstance(found.choices[0].message.parsed, City)


async def test_a_forced_tool_is_called(gpt: openai.AsyncOpenAI) -> None:
    found = await gpt.chat.completions.create(model="m", messages=HELLO, tools=[LOOK], tool_choice="required")
    calls = found.choices[0].message.tool_calls
    assert calls
    assert calls[0].type == "function"
    assert calls[0].function.name == "look"


async def test_a_long_answer_ends_at_the_limit(gpt: openai.AsyncOpenAI) -> None:
    found = await gpt.chat.completions.create(model="m", messages=HELLO, max_completion_tokens=2)
    assert found.choices[0].message.content == "answer t"
    assert found.choices[0].finish_reason == "length"


async def test_images_that_are_sent_are_counted(gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}
    content: Any = [{"type": "text", "text": "What is this?"}, image, image]
    await gpt.chat.completions.create(model="m", messages=[{"role": "user", "content": content}])
    assert [(call["images"], call["user_text"]) for call in vendor.calls()] == [(2, "What is this?")]


async def test_embeddings_depend_on_their_text_alone(gpt: openai.AsyncOpenAI) -> None:
    both = await gpt.embeddings.create(model="e", input=["one", "two"])
    again = await gpt.embeddings.create(model="e", input="two", encoding_format="float")
    assert both.data[1].embedding == pytest.approx(again.data[0].embedding)
    assert both.data[0].embedding != both.data[1].embedding


async def test_an_image_is_drawn(gpt: openai.AsyncOpenAI) -> None:
    drawn = await gpt.images.generate(model="i", prompt="a cat", n=2)
    assert drawn.data
    images = [base64.b64decode(image.b64_json or "") for image in drawn.data]
    assert [image[:8] for image in images] == [b"\x89PNG\r\n\x1a\n"] * 2
    assert images[0] != images[1]


async def test_a_refusal_is_no_content(gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    vendor.script([{"fault": "refusal"}])
    found = await gpt.chat.completions.create(model="m", messages=HELLO)
    assert found.choices[0].message.content is None
    assert (found.choices[0].message.refusal or "").startswith("I'm sorry")
