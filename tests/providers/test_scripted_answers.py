"""The scripted provider answers the same each time, by rules or from the question."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from providers.client import ModelClient, open_client
from providers.endpoint import Endpoint
from providers.errors import ERRORS, BadRequest, ProviderError, StreamCut
from providers.messages import Message, ToolCall
from providers.replies import ReasoningDelta, Reply, TextDelta, ToolCallDelta
from providers.requests import ChatRequest
from providers.scripted.scenario import load
from tests.providers.conftest import ask, items_of, reply_of, scripted


async def test_without_a_scenario_it_names_the_question_the_same_each_time(plain: ModelClient) -> None:
    first, second = [await reply_of(plain, ask("What is Paris?")) for _ in range(2)]
    assert first == second
    assert first.message.text.startswith("Scripted answer to ")
    assert first.message.text.endswith("What is Paris")
    assert (first.provider_kind, first.finish_reason) == ("scripted", "stop")
    assert first.usage.input_tokens > 0


class Leaf(BaseModel):
    name: str
    parent: "Leaf | None" = None


class Report(BaseModel):
    title: str
    score: int
    share: float
    leaves: list[Leaf]
    more: dict[str, str]


async def test_an_answer_for_a_schema_is_valid_against_it(plain: ModelClient) -> None:
    reply = await reply_of(plain, ask("red green blue", output_schema=Report.model_json_schema()))
    assert "red" in Report.model_validate_json(reply.message.text).title


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "exclusiveMinimum": 3, "multipleOf": 5},
        {"type": "number", "minimum": 0.1, "exclusiveMaximum": 0.2},
        {"type": "string", "minLength": 50, "maxLength": 60},
        {"type": "string", "format": "date"},
        {"type": ["null", "boolean"]},
        {"enum": ["a", "b"]},
        {"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 3},
        {"allOf": [{"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]}]},
        {"oneOf": [{"type": "null"}, {"type": "object", "properties": {"x": {"type": "string"}}}]},
        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False, "minItems": 2},
    ],
)
async def test_schemas_of_many_sorts_get_a_valid_answer(plain: ModelClient, schema: dict[str, Any]) -> None:
    reply = await reply_of(plain, ask(output_schema=schema))
    jsonschema.validate(json.loads(reply.message.text), schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^[0-9]{7}$"},
        {"$ref": "#/$defs/A", "$defs": {"A": {"properties": {"a": {"$ref": "#/$defs/A"}}, "required": ["a"]}}},
    ],
)
async def test_a_schema_it_cannot_fill_is_said_so(plain: ModelClient, schema: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="give it a rule with json"):
        await reply_of(plain, ask(output_schema=schema))


async def test_a_rule_gives_reasoning_text_and_calls_in_their_pieces() -> None:
    client = scripted(
        {
            "match": "about (?P<place>\\w+)",
            "reasoning": ["I ", "think."],
            "chunks": ["Looking ", "up {{place}}."],
            "tool_calls": [{"name": "look_up", "arguments": {"what": ["{{place}}", "{{1}}"]}}],
        }
    )
    items = await items_of(client, ask("Tell me about Paris"))
    assert [item.text for item in items if isinstance(item, ReasoningDelta)] == ["I ", "think."]
    assert [item.text for item in items if isinstance(item, TextDelta)] == ["Looking ", "up Paris."]
    assert len([item for item in items if isinstance(item, ToolCallDelta)]) > 1
    reply = items[-1]
    assert isinstance(reply, Reply)
    assert reply.message.tool_calls[0].arguments == {"what": ["Paris", "Paris"]}
    assert reply.finish_reason == "tool_calls"


async def test_a_rule_with_calls_is_of_the_first_turn_and_the_next_sees_the_result() -> None:
    client = scripted(
        {"match": "weather", "tool_calls": [{"name": "weather", "id": "one"}]},
        {"match": "weather", "text": "It is {{tool_result}}."},
    )
    asked = ask("the weather")
    first = await reply_of(client, asked)
    assert first.message.tool_calls == [ToolCall(id="one", name="weather")]
    result = Message(role="tool", content="sunny", tool_call_id="one")
    second = await reply_of(client, ChatRequest(messages=[*asked.messages, first.message, result]))
    assert second.message.text == "It is sunny."


async def test_rules_are_chosen_by_model_and_by_how_often_they_were_used() -> None:
    client = scripted({"model": "big-*", "text": "big"}, {"times": 2, "text": "twice"}, {"text": "then"})
    texts = [(await reply_of(client, ask(model=model))).message.text for model in ("s", "big-1", "s", "s")]
    assert texts == ["twice", "big", "twice", "then"]


@pytest.mark.parametrize("code", sorted(ERRORS))
async def test_every_error_can_be_scripted_with_its_wait(code: str) -> None:
    client = scripted({"fail": {"code": code, "retry_after": 7}})
    with pytest.raises(ERRORS[code]) as caught:
        await reply_of(client, ask())
    assert (caught.value.code, caught.value.retry_after) == (code, 7)
    assert str(caught.value).endswith(caught.value.remedy)


async def test_a_stream_can_be_cut_after_some_chunks_and_says_what_it_cost() -> None:
    client = scripted({"chunks": ["one ", "two ", "three"], "fail": {"code": "stream_cut", "after_chunks": 2}})
    with pytest.raises(StreamCut) as caught:
        await reply_of(client, ask())
    assert caught.value.text == "one two "
    assert caught.value.usage is not None
    assert caught.value.usage.is_estimated


async def test_it_goes_on_after_what_is_there_already() -> None:
    client = scripted({"text": "one two three four five six"})
    assert (await reply_of(client, ask(continue_from="one two thr"))).message.text == "ee four five six"
    assert (await reply_of(client, ask(continue_from="other"))).message.text == "one two three four five six"


async def test_a_limit_of_tokens_and_a_stop_word_end_the_answer() -> None:
    client = scripted({"text": "one two three four five six"})
    limited = await reply_of(client, ask(max_tokens=2))
    assert (limited.message.text, limited.finish_reason) == ("one two ", "length")
    stopped = await reply_of(client, ask(stop=["four"]))
    assert (stopped.message.text, stopped.finish_reason) == ("one two three ", "stop")


@settings(deadline=None)
@given(text=st.text(), size=st.integers(1, 9), start=st.integers(0, 200), most=st.integers(1, 60))
def test_whatever_the_chunks_the_reply_is_the_deltas_joined(text: str, size: int, start: int, most: int) -> None:
    chunks = [text[at : at + size] for at in range(0, len(text), size)] or [""]
    client = scripted({"chunks": chunks})
    items = asyncio.run(items_of(client, ask(continue_from=text[:start], max_tokens=most)))
    reply = items[-1]
    assert isinstance(reply, Reply)
    assert reply.message.text == "".join(item.text for item in items if isinstance(item, TextDelta))


@settings(deadline=None)
@given(st.text())
def test_a_default_text_in_pieces_is_the_text(text: str) -> None:
    client = scripted({"text": text})
    assert asyncio.run(reply_of(client, ask())).message.text == text


async def test_vectors_of_texts_that_share_words_lie_closer(plain: ModelClient) -> None:
    vectors = (await plain.embed(["red green blue", "red green grey", "seven eight nine"])).vectors
    near, far = [sum(a * b for a, b in zip(vectors[0], other, strict=True)) for other in vectors[1:]]
    assert near > far
    assert sum(value * value for value in vectors[0]) == pytest.approx(1)


async def test_an_image_is_a_picture_of_the_prompt(plain: ModelClient) -> None:
    first, second, other = [(await plain.image(prompt)).images[0] for prompt in ("a cat", "a cat", "a dog")]
    assert base64.b64decode(first.data or "").startswith(b"\x89PNG\r\n")
    assert first == second != other


async def test_a_scenario_comes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text("rules:\n  - match: Paris\n    json: {city: Paris}\n")
    client = open_client(Endpoint(kind="scripted", extra={"scenario": str(path)}))
    assert (await reply_of(client, ask())).message.text == '{"city": "Paris"}'


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("rules: [{match: '('}]", "rules.0.match"),
        ("rules: [{fail: {code: nonsense}}]", "rules.0.fail.code"),
        ("rules: [{text: a, chunks: [b]}]", "one of text, chunks and json"),
        ("rules:\n - text: [", "line 2"),
        ("a: &x [1]\nrules: *x", "line 2"),
        ("secret-token-in-another-file", "the document"),
    ],
)
def test_a_wrong_scenario_is_refused_without_quoting_the_file(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(content)
    with pytest.raises(BadRequest, match=told) as caught:
        load(str(path))
    assert "secret-token" not in str(caught.value)
    with pytest.raises(ProviderError, match=r"no \.yaml"):
        load("/etc/passwd")


async def test_the_scenario_of_the_documentation_answers_as_it_says(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "howto" / "providers.md"
    path = tmp_path / "scenario.yaml"
    path.write_text(page.read_text().partition("```yaml\n")[2].partition("```")[0])
    client = open_client(Endpoint(kind="scripted", extra={"scenario": str(path)}))
    asked = ask("the weather in Bern")
    first = await reply_of(client, asked)
    assert first.message.tool_calls[0].arguments == {"city": "Bern"}
    result = Message(role="tool", content="sunny", tool_call_id=first.message.tool_calls[0].id)
    second = await reply_of(client, ChatRequest(messages=[*asked.messages, first.message, result]))
    assert second.message.text == "It is sunny."
    for _ in range(2):
        with pytest.raises(StreamCut):
            await reply_of(client, ask("flaky"))
    assert (await reply_of(client, ask("flaky"))).message.text == "Half an answer and the rest."
    assert json.loads((await reply_of(client, ask("Rome", model="big-1"))).message.text)["title"] == "About Rome"
