"""The fake vendor counts exactly: how many calls, how many at once, and which were made twice."""

import asyncio
from typing import Any

import openai

from tests.vendors.process import FakeVendor


def said(text: str) -> Any:
    return [{"role": "user", "content": text}]


async def test_calls_at_once_are_counted_per_model(gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    vendor.script([{"gate": "all"}])
    models = ["a"] * 12 + ["b"] * 8
    calls = [
        asyncio.create_task(gpt.chat.completions.create(model=model, messages=said(f"say {at}")))
        for at, model in enumerate(models)
    ]
    stats = await asyncio.to_thread(vendor.wait_until, lambda stats: stats["now"] == 20)
    assert {model: tally["now"] for model, tally in stats["models"].items()} == {"a": 12, "b": 8}
    vendor.open("all")
    await asyncio.gather(*calls)
    stats = vendor.stats()
    assert (stats["calls"], stats["now"], stats["most_at_once"], stats["outcomes"]) == (20, 0, 20, {"answered": 20})
    assert stats["models"]["b"] == {"calls": 8, "now": 0, "most_at_once": 8, "outcomes": {"answered": 8}}


async def test_a_limit_that_is_kept_is_never_seen_broken(gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    vendor.script([{"gate": "first"}])
    limit = asyncio.Semaphore(3)

    async def one(at: int) -> None:
        async with limit:
            stream = await gpt.chat.completions.create(model="m", messages=said(f"say {at}"), stream=True)
            assert [chunk async for chunk in stream]

    calls = asyncio.gather(*(one(at) for at in range(60)))
    await asyncio.to_thread(vendor.wait_until, lambda stats: stats["now"] == 3)
    vendor.open("first")
    await calls
    assert (vendor.stats()["calls"], vendor.stats()["most_at_once"]) == (60, 3)


async def test_the_same_content_answered_twice_is_a_repeat(gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    vendor.script([{"match": "two", "nth": 1, "status": 500}])
    for text in ("one", "two", "two", "three", "one"):
        try:
            await gpt.chat.completions.create(model="m", messages=said(text))
        except openai.InternalServerError:
            assert text == "two"
    assert vendor.stats()["repeated"] == [[1, 5]]
    assert vendor.stats()["outcomes"] == {"answered": 4, "server_error": 1}
    assert [call["number"] for call in vendor.calls(user_text="two", outcome="answered")] == [3]
    assert [call["user_text"] for call in vendor.calls(after=3)] == ["three", "one"]


async def test_streamed_or_not_it_is_the_same_content(gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    await gpt.chat.completions.create(model="m", messages=said("one"))
    stream = await gpt.chat.completions.create(model="m", messages=said("one"), stream=True)
    assert [chunk async for chunk in stream]
    assert vendor.stats()["repeated"] == [[1, 2]]


async def test_a_client_that_leaves_ends_its_call(gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    vendor.script([{"gate": "middle", "gate_after": 1}])
    stream = await gpt.chat.completions.create(model="m", messages=said("a rather long answer, please"), stream=True)
    await anext(stream.__aiter__())
    await stream.close()
    vendor.wait_until(lambda stats: stats["now"] == 0)
    assert [(call["outcome"], call["sent"]) for call in vendor.calls()] == [("abandoned", 1)]
    assert vendor.stats()["repeated"] == []


async def test_of_a_key_only_its_end_is_kept(gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    await gpt.chat.completions.create(model="m", messages=said("one"))
    (call,) = vendor.calls()
    assert call["key_tail"] == "1234"
    assert "sk-tests" not in str(call)


async def test_a_reset_forgets_calls_and_rules_and_opens_gates(gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    vendor.script([{"gate": "shut", "text": "late"}])
    held = asyncio.create_task(gpt.chat.completions.create(model="m", messages=said("one")))
    await asyncio.to_thread(vendor.wait_until, lambda stats: stats["now"] == 1)
    vendor.reset()
    assert (await held).choices[0].message.content == "late"
    assert vendor.calls() == []
    found = await gpt.chat.completions.create(model="m", messages=said("one"))
    assert (found.choices[0].message.content or "").startswith("answer to ")
