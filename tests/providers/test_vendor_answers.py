"""Each vendor's wire gives the same deltas and the same reply, and is asked in its own words."""

import asyncio
import json
from typing import Any

import pytest

from providers.client import ModelClient, open_client
from providers.endpoint import Endpoint
from providers.errors import BadRequest, CannotContinue, NotSupported
from providers.messages import ImagePart, Message, TextPart, ToolCall
from providers.replies import ReasoningDelta, Reply, TextDelta, ToolCallDelta
from providers.requests import ChatRequest, ToolSpec
from tests.providers.conftest import ask, endpoint, items_of, reply_of
from tests.vendors.process import FakeVendor

WEATHER = ToolSpec(
    name="weather", parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
)
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


async def test_text_comes_in_pieces_and_the_reply_is_their_sum(client: ModelClient, vendor: FakeVendor) -> None:
    vendor.script([{"chunks": ["Paris ", "is a ", "city."], "usage": {"input_tokens": 11, "output_tokens": 7}}])
    items = await items_of(client, ask())
    assert [item.text for item in items if isinstance(item, TextDelta)] == ["Paris ", "is a ", "city."]
    reply = items[-1]
    assert isinstance(reply, Reply)
    assert (reply.message.text, reply.finish_reason, reply.model) == ("Paris is a city.", "stop", "m-1")
    assert (reply.provider_kind, reply.usage.input_tokens, reply.usage.output_tokens) == (client.kind, 11, 7)
    assert not reply.usage.is_estimated


async def test_reasoning_and_parallel_calls_come_as_fragments(client: ModelClient, vendor: FakeVendor) -> None:
    calls = [{"name": "weather", "arguments": {"city": city}} for city in ("Paris", "Rome")]
    vendor.script([{"reasoning": ["Let me ", "see."], "text": "One moment.", "tool_calls": calls}])
    items = await items_of(client, ask(tools=[WEATHER]))
    assert "".join(item.text for item in items if isinstance(item, ReasoningDelta)) == "Let me see."
    reply = items[-1]
    assert isinstance(reply, Reply)
    assert [call.arguments for call in reply.message.tool_calls] == [{"city": "Paris"}, {"city": "Rome"}]
    assert (reply.message.text, reply.message.reasoning) == ("One moment.", "Let me see.")
    assert reply.finish_reason == "tool_calls"
    for index, call in enumerate(reply.message.tool_calls):
        fragments = [item for item in items if isinstance(item, ToolCallDelta) and item.index == index]
        assert {(item.id, item.name) for item in fragments} == {(call.id, "weather")}
        assert json.loads("".join(item.arguments for item in fragments)) == call.arguments


async def test_a_conversation_with_tools_reaches_the_vendor_in_its_own_words(
    client: ModelClient, vendor: FakeVendor
) -> None:
    messages = [
        Message(role="system", content="Be brief."),
        Message(role="user", content="Weather?"),
        Message(role="assistant", content="I look.", tool_calls=[ToolCall(id="c1", name="weather")]),
        Message(role="tool", tool_call_id="c1", content="denied", is_error=True),
    ]
    assert (await reply_of(client, ChatRequest(messages=messages, tools=[WEATHER]))).message.text
    sent = vendor.calls()[0]["body"]
    told = json.dumps(sent)
    assert "denied" in told
    assert "Be brief." in told
    if client.kind == "anthropic":
        assert sent["messages"][-1]["content"][0]["is_error"] is True
        assert sent["system"] == "Be brief."
    else:
        assert [message["role"] for message in sent["messages"]] == ["system", "user", "assistant", "tool"]


async def test_an_answer_by_a_schema_is_json_text_on_every_wire(client: ModelClient, vendor: FakeVendor) -> None:
    vendor.script([{"wire": "anthropic", "tool_calls": [{"name": "place", "arguments": {"city": "Paris"}}]}])
    vendor.script([{"json": {"city": "Paris"}}], append=True)
    items = await items_of(client, ask(output_schema=CITY, output_name="place"))
    reply = items[-1]
    assert isinstance(reply, Reply)
    assert json.loads(reply.message.text) == {"city": "Paris"}
    assert "".join(item.text for item in items if isinstance(item, TextDelta)) == reply.message.text
    assert (reply.message.tool_calls, reply.finish_reason) == ([], "stop")
    sent = vendor.calls()[0]["body"]
    if client.kind == "anthropic":
        assert (sent["tool_choice"]["type"], sent["tools"][0]["name"]) == ("any", "place")
    else:
        assert sent["response_format"]["json_schema"]["schema"]["properties"] == CITY["properties"]


async def test_a_tool_of_the_same_name_is_still_a_tool(anthropic: ModelClient, vendor: FakeVendor) -> None:
    result = WEATHER.model_copy(update={"name": "result"})
    vendor.script([{"tool_calls": [{"name": "result", "arguments": {"city": "Bern"}}]}])
    for options in ({}, {"output_schema": CITY}):
        reply = await reply_of(anthropic, ask(tools=[result], **options))
        assert [call.name for call in reply.message.tool_calls] == ["result"]
    assert [tool["name"] for tool in vendor.calls()[-1]["body"]["tools"]] == ["result", "final_result"]


async def test_a_model_that_has_schemas_itself_is_given_the_schema(anthropic: ModelClient, vendor: FakeVendor) -> None:
    reply = await reply_of(anthropic, ask(output_schema=CITY, model="claude-sonnet-4-6"))
    assert set(json.loads(reply.message.text)) == {"city"}
    sent = vendor.calls()[0]["body"]
    assert "tools" not in sent
    assert (
        CITY["properties"]
        == (sent.get("output_config", {}).get("format") or sent["output_format"])["schema"]["properties"]
    )


async def test_an_image_goes_in_by_its_bytes(client: ModelClient, plain: ModelClient, vendor: FakeVendor) -> None:
    picture = (await plain.image("a cat")).images[0]
    message = Message(role="user", content=[TextPart(text="What is this?"), picture])
    assert (await reply_of(client, ChatRequest(messages=[message]))).message.text
    assert vendor.calls()[0]["images"] == 1


async def test_an_image_by_address_is_left_to_the_vendor(openai: ModelClient, vendor: FakeVendor) -> None:
    picture = ImagePart(url="http://169.254.169.254/latest/meta-data")
    await reply_of(openai, ChatRequest(messages=[Message(role="user", content=[picture])]))
    part = vendor.calls()[0]["body"]["messages"][0]["content"][0]
    assert part["image_url"]["url"] == "http://169.254.169.254/latest/meta-data"


async def test_limits_stop_words_and_extra_fields_are_sent(vendor: FakeVendor) -> None:
    for wire in ("openai", "ollama", "anthropic"):
        extra: dict[str, Any] = {"headers": {"X-Team": "red"}, "body": {"a_field": 1, "b_field": 1}}
        client = open_client(endpoint(vendor, wire, extra=extra))
        try:
            asked = ask(max_tokens=3, temperature=0.5, stop=["Rome"], extra={"b_field": 2})
            reply = await reply_of(client, asked)
        finally:
            await client.aclose()
        assert reply.finish_reason == "length"
        sent = vendor.calls()[-1]["body"]
        assert (sent["max_tokens"], sent["temperature"], sent["a_field"], sent["b_field"]) == (3, 0.5, 1, 2)
        assert sent.get("stop") == ["Rome"] or sent["stop_sequences"] == ["Rome"]


@pytest.mark.parametrize("wire", ["ollama", "anthropic"])
async def test_a_cut_answer_goes_on_without_a_word_twice(vendor: FakeVendor, wire: str) -> None:
    vendor.script([{"text": "one two\nthree four"}])
    client = open_client(endpoint(vendor, wire))
    try:
        assert client.can_continue
        for begun in ("one tw", "one two", "one two\n"):
            items = await items_of(client, ask(continue_from=begun))
            reply = items[-1]
            assert isinstance(reply, Reply)
            assert begun + reply.message.text == "one two\nthree four"
            assert reply.message.text == "".join(item.text for item in items if isinstance(item, TextDelta))
            assert vendor.calls()[-1]["prefill"] == begun.rstrip()
    finally:
        await client.aclose()


async def test_a_model_that_takes_no_beginning_says_so_and_is_asked_from_the_start(
    anthropic: ModelClient, vendor: FakeVendor
) -> None:
    said = "This model does not support assistant message prefill."
    vendor.script([{"role": "assistant", "status": 400, "message": said}])
    with pytest.raises(CannotContinue) as caught:
        await reply_of(anthropic, ask(continue_from="one"))
    assert caught.value.is_retryable
    assert not anthropic.can_continue


async def test_the_openai_wire_answers_from_the_start(openai: ModelClient, vendor: FakeVendor) -> None:
    vendor.script([{"text": "one two"}])
    assert not openai.can_continue
    assert (await reply_of(openai, ask(continue_from="one"))).message.text == "one two"


async def test_signed_reasoning_goes_back_to_who_signed_it(anthropic: ModelClient, vendor: FakeVendor) -> None:
    vendor.script([{"turn": 1, "reasoning": "I think.", "tool_calls": [{"name": "weather", "arguments": {}}]}])
    asked = ask(tools=[WEATHER])
    first = (await reply_of(anthropic, asked)).message
    stored = Message.model_validate_json(first.model_dump_json())
    result = Message(role="tool", tool_call_id=first.tool_calls[0].id, content="sunny")
    await reply_of(anthropic, asked.model_copy(update={"messages": [*asked.messages, stored, result]}))
    sent = vendor.calls()[-1]["body"]["messages"][1]["content"][0]
    assert (sent["type"], sent["thinking"]) == ("thinking", "I think.")
    assert sent["signature"] == first.signed_reasoning[0].signature


async def test_a_call_cut_by_the_limit_of_tokens_is_left_out(client: ModelClient, vendor: FakeVendor) -> None:
    call = {"name": "weather", "arguments": '{"city": "Par'}
    vendor.script([{"text": "I look.", "tool_calls": [call], "finish": "length"}])
    reply = await reply_of(client, ask(tools=[WEATHER]))
    assert (reply.finish_reason, reply.message.tool_calls) == ("length", [])


async def test_embeddings_and_images_by_the_openai_wire(vendor: FakeVendor) -> None:
    for wire in ("openai", "ollama"):
        client = open_client(endpoint(vendor, wire))
        try:
            found = await client.embed(["one", "two"], model="e-1")
            drawn = await client.image("a cat", size="1024x1024")
        finally:
            await client.aclose()
        assert [len(vector) for vector in found.vectors] == [8, 8]
        assert (found.model, found.usage.input_tokens) == ("e-1", 2)
        assert drawn.images[0].content().startswith(b"\x89PNG")
        assert vendor.calls()[-1]["body"]["size"] == "1024x1024"


async def test_anthropic_has_neither_embeddings_nor_images(anthropic: ModelClient) -> None:
    with pytest.raises(NotSupported):
        await anthropic.embed(["one"])
    with pytest.raises(NotSupported):
        await anthropic.image("a cat")


async def test_a_scripted_endpoint_with_a_base_url_is_the_openai_wire_there(vendor: FakeVendor) -> None:
    client = open_client(Endpoint(kind="scripted", base_url=vendor.openai_url, default_model="m-1"))
    try:
        reply = await reply_of(client, ask())
    finally:
        await client.aclose()
    assert (reply.provider_kind, vendor.calls()[0]["wire"]) == ("openai", "openai")


async def test_many_calls_at_once_share_one_client(client: ModelClient) -> None:
    replies = await asyncio.gather(*(reply_of(client, ask(f"question {number}")) for number in range(15)))
    assert [reply.message.text.rpartition(" ")[2] for reply in replies] == [str(number) for number in range(15)]


@pytest.mark.parametrize("extra", [{"headers": ["X-Team"]}, {"headers": {"X": "a\nb"}}, {"body": "a=1"}])
async def test_extra_fields_of_a_wrong_shape_are_refused_before_a_call(
    vendor: FakeVendor, extra: dict[str, Any]
) -> None:
    with pytest.raises(BadRequest, match=r"extra\."):
        await reply_of(open_client(endpoint(vendor, "openai", extra=extra)), ask())
    assert vendor.calls() == []


async def test_without_any_model_it_is_said_where_to_name_one(vendor: FakeVendor) -> None:
    client = open_client(endpoint(vendor, "openai", default_model=""))
    try:
        with pytest.raises(BadRequest, match="default_model"):
            await reply_of(client, ask())
    finally:
        await client.aclose()
    assert vendor.calls() == []
