"""A call that nobody waits for ends at the vendor at once, and its client goes on with others."""

import asyncio
from contextlib import aclosing

import pytest

from providers.client import ModelClient
from providers.errors import ProviderError
from providers.replies import TextDelta
from tests.providers.conftest import ask, reply_of
from tests.vendors.process import FakeVendor


async def until_abandoned(vendor: FakeVendor, calls: int = 1) -> None:
    await asyncio.to_thread(vendor.wait_until, lambda stats: stats["outcomes"].get("abandoned") == calls)


async def test_closing_the_stream_ends_the_call_at_the_vendor(client: ModelClient, vendor: FakeVendor) -> None:
    vendor.script([{"chunks": ["one ", "two"], "gate": "held", "gate_after": 1, "times": 1}])
    async with aclosing(client.chat(ask())) as stream:
        assert await anext(stream) == TextDelta(text="one ")
    await until_abandoned(vendor)
    assert (await reply_of(client, ask())).message.text


async def test_cancelling_the_reader_ends_the_call_at_the_vendor(client: ModelClient, vendor: FakeVendor) -> None:
    vendor.script([{"chunks": ["one ", "two"], "gate": "held", "gate_after": after} for after in (0, 1)])
    vendor.script([{"nth": 1, "gate": "held"}, {"chunks": ["one ", "two"], "gate": "held", "gate_after": 1}])
    readers = [asyncio.create_task(reply_of(client, ask(f"question {number}"))) for number in range(2)]
    await asyncio.to_thread(vendor.wait_until, lambda stats: stats["now"] == 2)
    for reader in readers:
        reader.cancel()
    results = await asyncio.gather(*readers, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError, asyncio.CancelledError]
    await until_abandoned(vendor, 2)


async def test_a_stream_left_behind_is_closed(client: ModelClient, vendor: FakeVendor) -> None:
    vendor.script([{"chunks": ["one ", "two"], "gate": "held", "gate_after": 1}])
    async for _ in client.chat(ask()):
        break
    await until_abandoned(vendor)


async def test_closing_the_client_ends_what_is_under_way(client: ModelClient, vendor: FakeVendor) -> None:
    vendor.script([{"chunks": ["one ", "two"], "gate": "held", "gate_after": 1}])
    reader = asyncio.create_task(reply_of(client, ask()))
    await asyncio.to_thread(vendor.wait_until, lambda stats: stats["now"] == 1)
    await client.aclose()
    with pytest.raises(ProviderError):
        await reader
    await until_abandoned(vendor)


async def test_embedding_and_drawing_are_cancelled_too(openai: ModelClient, vendor: FakeVendor) -> None:
    vendor.script([{"gate": "held"}])
    tasks = [asyncio.create_task(openai.embed(["one"])), asyncio.create_task(openai.image("a cat"))]
    await asyncio.to_thread(vendor.wait_until, lambda stats: stats["now"] == 2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await until_abandoned(vendor, 2)
