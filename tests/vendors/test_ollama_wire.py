"""Ollama's wire as its documentation has it, and OpenAI's as Ollama speaks it."""

import json
from typing import Any

import httpx
import openai
import pytest

from tests.vendors.process import FakeVendor

HELLO: Any = [{"role": "user", "content": "Say hello to the world"}]


def ask(vendor: FakeVendor, **body: Any) -> httpx.Response:
    return httpx.post(f"{vendor.ollama_url}/api/chat", json={"model": "llama", "messages": HELLO, **body})


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in response.text.splitlines()]


def test_it_streams_lines_unless_told_not_to(vendor: FakeVendor) -> None:
    response = ask(vendor)
    assert response.headers["content-type"] == "application/x-ndjson"
    *pieces, last = lines(response)
    whole = ask(vendor, stream=False).json()
    assert "".join(piece["message"]["content"] for piece in pieces) == whole["message"]["content"]
    assert not any(piece["done"] for piece in pieces)
    assert (last["done"], last["done_reason"], last["message"]["content"]) == (True, "stop", "")
    assert last["prompt_eval_count"] == whole["prompt_eval_count"] == 6
    assert last["eval_count"] == whole["eval_count"] > 1


def test_thinking_and_whole_tool_calls(vendor: FakeVendor) -> None:
    vendor.script([{"reasoning": "Hm.", "tool_calls": [{"name": "look", "arguments": {"at": "it"}}]}])
    thought, called, last = lines(ask(vendor))
    assert thought["message"]["thinking"] == "Hm."
    assert called["message"]["tool_calls"][0]["function"] == {"index": 0, "name": "look", "arguments": {"at": "it"}}
    assert last["done_reason"] == "stop"


def test_a_schema_is_its_format(vendor: FakeVendor) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}
    assert json.loads(ask(vendor, stream=False, format=schema).json()["message"]["content"]) == {"n": 3}


def test_the_answer_is_as_long_as_it_may_be(vendor: FakeVendor) -> None:
    answer = ask(vendor, stream=False, options={"num_predict": 1}).json()
    assert (answer["message"]["content"], answer["done_reason"]) == ("answ", "length")


def test_errors_are_a_text(vendor: FakeVendor) -> None:
    vendor.script([{"nth": 1, "status": 404}, {"nth": 2, "fault": "error_in_stream", "text": "a b c d e f"}])
    missing = ask(vendor)
    assert (missing.status_code, missing.json()) == (404, {"error": "model 'llama' not found"})
    assert list(lines(ask(vendor))[-1]) == ["error"]


def test_images_are_counted(vendor: FakeVendor) -> None:
    ask(vendor, messages=[{"role": "user", "content": "What is this?", "images": ["aGVsbG8=", "aGVsbG8="]}])
    assert [(call["wire"], call["images"]) for call in vendor.calls()] == [("ollama", 2)]


def test_embeddings_and_models(vendor: FakeVendor) -> None:
    answer = httpx.post(f"{vendor.ollama_url}/api/embed", json={"model": "e", "input": ["a", "b"]}).json()
    assert [len(vector) for vector in answer["embeddings"]] == [8, 8]
    assert answer["prompt_eval_count"] == 2
    models = httpx.get(f"{vendor.ollama_url}/api/tags").json()["models"]
    assert [model["name"] for model in models] == ["model-one", "model-two"]


async def test_openais_wire_is_served_in_ollamas_words(vendor: FakeVendor) -> None:
    vendor.script([{"nth": 1, "status": 404}])
    async with openai.AsyncOpenAI(base_url=f"{vendor.ollama_url}/v1", api_key="ollama", max_retries=0) as client:
        with pytest.raises(openai.NotFoundError, match="model 'llama' not found") as caught:
            await client.chat.completions.create(model="llama", messages=HELLO)
        await client.chat.completions.create(model="llama", messages=HELLO)
    assert caught.value.code is None
    assert [(call["wire"], call["status"]) for call in vendor.calls()] == [("ollama", 404), ("ollama", 200)]
