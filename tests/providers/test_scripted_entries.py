"""A scenario that is a list of answers: each is given once, to whom it is meant for."""

import json
from pathlib import Path
from typing import Any

import pytest

from providers.client import ModelClient, open_client
from providers.endpoint import Endpoint
from providers.errors import BadRequest, ProviderError, ScriptedError
from providers.messages import Message, ToolCall
from providers.replies import ReasoningDelta, Reply, TextDelta
from providers.requests import ChatRequest
from providers.scripted.entries import (
    Entry,
    InvalidScenario,
    ScenarioUsedUp,
    Unused,
    as_override,
    entries_of,
    read,
    read_file,
)
from tests.providers.conftest import ask, items_of, reply_of


def of_entries(*entries: dict[str, Any]) -> ModelClient:
    return open_client(Endpoint(kind="scripted", extra={"scenario": list(entries)}))


def of_entry(**fields: Any) -> ModelClient:
    """As a flow's call of a model gets it."""
    entry = entries_of([fields])[0]
    return open_client(Endpoint(kind="scripted", extra=as_override(entry)["extra"]))


def test_an_entry_is_for_its_persona_else_for_anybody_and_is_given_once() -> None:
    unused = Unused(
        [Entry(content="any"), Entry(persona="judge", content="judged"), Entry(persona="coder", content="coded")]
    )
    assert [unused.take(name).content for name in ("coder", "judge", "coder")] == ["coded", "judged", "any"]
    with pytest.raises(ScenarioUsedUp, match="no unused entry for 'coder', and none without a persona"):
        unused.take("coder")


async def test_a_profiles_list_is_used_up_by_its_client() -> None:
    client = of_entries({"content": "one"}, {"persona": "judge", "content": "[JUDGE:1]"}, {"content": "two"})
    told = [(await reply_of(client, ask(persona=name))).message.text for name in ("", "judge", "coder")]
    assert told == ["one", "[JUDGE:1]", "two"]
    with pytest.raises(ScriptedError, match="no unused entry for 'coder'"):
        await reply_of(client, ask(persona="coder"))


async def test_tools_are_called_first_and_the_text_comes_after_their_results() -> None:
    entry = {"content": "done", "tool_use": [{"tool": "read_file", "input": {"path": "{{prompt}}"}}]}
    for client in (of_entries(entry, {"content": "other"}), of_entry(**entry)):
        first = (await reply_of(client, ask("do it"))).message
        assert [(call.name, call.arguments) for call in first.tool_calls] == [("read_file", {"path": "{{prompt}}"})]
        result = Message(role="tool", content="text", tool_call_id=first.tool_calls[0].id, tool_name="read_file")
        again = ChatRequest(messages=[Message(role="user", content="do it"), first, result])
        assert (await reply_of(client, again)).message.text == "done"


async def test_an_unknown_call_before_it_takes_an_entry_of_its_own() -> None:
    foreign = Message(role="assistant", tool_calls=[ToolCall(id="entry7_call_1", name="x", arguments={})])
    result = Message(role="tool", content="text", tool_call_id="entry7_call_1", tool_name="x")
    asked = ChatRequest(messages=[Message(role="user", content="do it"), foreign, result])
    assert (await reply_of(of_entries({"content": "mine"}), asked)).message.text == "mine"


async def test_a_blocked_entry_says_so_on_a_line_of_its_own() -> None:
    reply = await reply_of(of_entry(status="blocked", content="Which port?"), ask())
    assert reply.message.text == "[BLOCKED]\nWhich port?"


async def test_structured_output_ends_the_text_and_is_the_answer_to_a_call_that_wants_json() -> None:
    client = of_entry(content="Reviewed.", structured_output={"approved": True})
    assert (await reply_of(client, ask())).message.text == 'Reviewed.\n\n```json\n{\n  "approved": true\n}\n```'
    wanted = await reply_of(client, ask(output_schema={"type": "object"}))
    assert json.loads(wanted.message.text) == {"approved": True}


async def test_a_call_that_wants_json_of_an_entry_without_any_fails_at_once() -> None:
    with pytest.raises(ScriptedError, match="has no structured_output") as failed:
        await reply_of(of_entry(content="{}"), ask(output_schema={"type": "object"}))
    assert not failed.value.is_retryable


async def test_an_error_entry_fails_with_its_words_after_its_pieces() -> None:
    client = of_entry(status="error", error="The disk is full.", text_chunks=[{"text": "Writ"}])
    said: list[str] = []

    async def listen() -> None:
        async for item in client.chat(ask()):
            said.append(item.text if isinstance(item, TextDelta) else "")

    with pytest.raises(ProviderError, match=r"^The disk is full\. ") as failed:
        await listen()
    assert (said, failed.value.code, failed.value.is_retryable) == (["Writ"], "scripted_error", False)


@pytest.mark.parametrize(
    ("fields", "pieces"),
    [
        ({"text_chunks": [{"text": "a "}, {"text": "b"}]}, ["a ", "b"]),
        ({"content": "a b c", "text_chunks": [{"text": "a ", "delay_ms": 1}]}, ["a ", "b c"]),
        ({"status": "blocked", "text_chunks": [{"text": "a"}]}, ["[BLOCKED]\n", "a"]),
    ],
)
async def test_pieces_are_those_of_the_content(fields: dict[str, Any], pieces: list[str]) -> None:
    items = await items_of(of_entry(**fields), ask())
    assert [item.text for item in items if isinstance(item, TextDelta)] == pieces
    assert isinstance(items[-1], Reply)
    assert items[-1].message.text == "".join(pieces)


async def test_pieces_that_do_not_begin_the_content_are_told_before_it() -> None:
    *items, reply = await items_of(of_entry(content="All done.", text_chunks=[{"text": "Hm, "}, {"text": "so"}]), ask())
    assert "".join(item.text for item in items if isinstance(item, ReasoningDelta)) == "Hm, so"
    assert isinstance(reply, Reply)
    assert reply.message.text == "All done."


async def test_nothing_is_put_in_for_braces_and_fields_may_have_the_names_of_secrets() -> None:
    reply = await reply_of(of_entry(content="{{prompt}}", structured_output={"password": "x"}), ask("hello"))
    assert reply.message.text.startswith("{{prompt}}")
    assert "password" not in as_override(Entry(content="x"))["extra"]["scenario"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[{]", "The scenario is no JSON at line 1. Write an array of entries."),
        ('[{"content": NaN}]', "The scenario is no JSON. Write an array of entries."),
        ("[" * 100_000, "The scenario is no JSON. Write an array of entries."),
        ('{"content": "x"}', "The scenario is no array. Write its entries in [ and ]."),
        ('[{"content": "x"}, {"conten": "y"}]', "Entry 2, conten: there is no such field. Use persona, status, "),
        ('["x"]', "Entry 1: Input should be a valid dictionary or instance of Entry. Correct it."),
        ('[{"status": "okay"}]', "Entry 1, status: Input should be 'done', 'blocked' or 'error'. Correct it."),
        ('[{"tool_use": [{"input": {}}]}]', "Entry 1, tool_use.0.tool: Field required. Correct it."),
        ('[{"delay_ms": -1}]', "Entry 1, delay_ms: Input should be greater than or equal to 0. Correct it."),
        (json.dumps([{"content": "x" * 60_000}]), "Entry 1 is larger than 50000 characters. Make it smaller."),
        ("[" + "{}," * 10_000 + "{}]", "The scenario has 10001 entries, and 10000 is the most. Split it."),
    ],
)
def test_what_is_no_scenario_is_said_with_its_place_and_remedy(text: str, problem: str) -> None:
    with pytest.raises(InvalidScenario) as refused:
        read(text)
    assert str(refused.value).startswith(problem)


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'[{"content": "\xe9"}]')
    (tmp_path / "large.json").write_bytes(b" " * (1024 * 1024 + 1))
    for name, problem in (("gone.json", "cannot be read"), ("latin.json", "UTF-8"), ("large.json", "is larger than")):
        with pytest.raises(InvalidScenario, match=problem):
            read_file(tmp_path / name)


def test_a_profile_with_a_broken_list_is_refused() -> None:
    with pytest.raises(BadRequest, match="Entry 1, status"):
        of_entries({"status": "maybe"})
