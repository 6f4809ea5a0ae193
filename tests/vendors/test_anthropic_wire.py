"""Anthropic's own client understands what the fake vendor answers."""

from typing import Any

import anthropic
import pytest

from tests.vendors.process import FakeVendor

HELLO: Any = [{"role": "user", "content": "Say hello to the world"}]
LOOK: Any = {"name": "look", "input_schema": {"type": "object", "properties": {"at": {"type": "string"}}}}


async def test_text_streams_as_one_block(claude: anthropic.AsyncAnthropic) -> None:
    async with claude.messages.stream(model="m", max_tokens=100, messages=HELLO) as stream:
        pieces = [text async for text in stream.text_stream]
        message = await stream.get_final_message()
    assert len(pieces) > 1
    assert [block.type for block in message.content] == ["text"]
    assert "".join(pieces).endswith(": Say hello to the world")
    assert (message.stop_reason, message.usage.input_tokens) == ("end_turn", 6)
    assert message.usage.output_tokens > 1


async def test_thinking_tools_and_text_are_blocks_of_their_own(
    claude: anthropic.AsyncAnthropic, vendor: FakeVendor
) -> None:
    call = {"name": "look", "arguments": {"at": "the stars above"}}
    vendor.script([{"reasoning": "Let me think about it.", "text": "I look.", "tool_calls": [call, call]}])
    async with claude.messages.stream(model="m", max_tokens=100, messages=HELLO, tools=[LOOK]) as stream:
        fragments = [event.partial_json async for event in stream if event.type == "input_json"]
        message = await stream.get_final_message()
    assert len(fragments) > 4
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]
    thinking, _, look, again = message.content
    assert thinking.type == "thinking"
    assert (thinking.thinking, bool(thinking.signature)) == ("Let me think about it.", True)
    assert look.type == again.type == "tool_use"
    assert look.input == {"at": "the stars above"}
    assert look.id != again.id
    assert message.stop_reason == "tool_use"
    whole = await claude.messages.create(model="m", max_tokens=100, messages=HELLO, tools=[LOOK])
    assert [block.type for block in whole.content] == ["thinking", "text", "tool_use", "tool_use"]


async def test_an_answer_goes_on_after_its_beginning(claude: anthropic.AsyncAnthropic, vendor: FakeVendor) -> None:
    vendor.script([{"text": "One two three four five six seven"}])
    begun: Any = [*HELLO, {"role": "assistant", "content": "One two th"}]
    message = await claude.messages.create(model="m", max_tokens=100, messages=begun)
    assert message.content[0].type == "text"
    assert message.content[0].text == "ree four five six seven"
    assert [call["prefill"] for call in vendor.calls()] == ["One two th"]


async def test_the_default_answer_is_continued_too(claude: anthropic.AsyncAnthropic) -> None:
    first = await claude.messages.create(model="m", max_tokens=100, messages=HELLO)
    assert first.content[0].type == "text"
    text = first.content[0].text
    begun: Any = [*HELLO, {"role": "assistant", "content": text[:14]}]
    rest = await claude.messages.create(model="m", max_tokens=100, messages=begun)
    assert rest.content[0].type == "text"
    assert text[:14] + rest.content[0].text == text


async def test_a_beginning_that_ends_with_a_blank_is_refused(claude: anthropic.AsyncAnthropic) -> None:
    begun: Any = [*HELLO, {"role": "assistant", "content": "One "}]
    with pytest.raises(anthropic.BadRequestError, match="trailing whitespace"):
        await claude.messages.create(model="m", max_tokens=100, messages=begun)


async def test_tool_results_are_the_tools_turn(claude: anthropic.AsyncAnthropic, vendor: FakeVendor) -> None:
    vendor.script(
        [{"turn": 1, "tool_calls": [{"name": "look"}]}, {"role": "tool", "contains": "sunny", "text": "Sun!"}]
    )
    first = await claude.messages.create(model="m", max_tokens=100, messages=HELLO, tools=[LOOK])
    assert first.content[0].type == "tool_use"
    result = {"type": "tool_result", "tool_use_id": first.content[0].id, "content": "it is sunny"}
    talk: Any = [*HELLO, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    second = await claude.messages.create(model="m", max_tokens=100, messages=talk, tools=[LOOK])
    assert second.content[0].type == "text"
    assert second.content[0].text == "Sun!"


async def test_a_stop_word_ends_the_answer(claude: anthropic.AsyncAnthropic, vendor: FakeVendor) -> None:
    vendor.script([{"text": "One two three END four"}])
    message = await claude.messages.create(model="m", max_tokens=100, messages=HELLO, stop_sequences=["END"])
    assert message.content[0].type == "text"
    assert message.content[0].text == "One two three "
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "END")


async def test_tokens_from_the_cache_are_beside_the_input(claude: anthropic.AsyncAnthropic, vendor: FakeVendor) -> None:
    vendor.script([{"usage": {"input_tokens": 100, "output_tokens": 7, "cached_tokens": 60}}])
    usage = (await claude.messages.create(model="m", max_tokens=100, messages=HELLO)).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (40, 60, 7)


async def test_tokens_are_counted_before_a_call(claude: anthropic.AsyncAnthropic, vendor: FakeVendor) -> None:
    assert (await claude.messages.count_tokens(model="m", messages=HELLO)).input_tokens == 6
    assert vendor.calls() == []


async def test_its_models_are_listed(claude: anthropic.AsyncAnthropic) -> None:
    assert "model-one" in [model.id async for model in claude.models.list()]
