"""The bus over a channel layer that fails."""

import asyncio
import logging
from typing import Any

import pytest

from runs.events.bus import Message, make_bus
from runs.live import bus as bus_module
from runs.live.bus import LayerBus


class FailingLayer:
    """A real layer with a switch: while it is broken, every call raises."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer
        self.broken = False

    def __getattr__(self, name: str) -> Any:
        if self.broken:
            raise ConnectionError("the channel layer is away")
        return getattr(self._layer, name)


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> FailingLayer:
    failing = FailingLayer(bus_module.get_channel_layer("default"))
    monkeypatch.setattr(bus_module, "get_channel_layer", lambda alias: failing)
    monkeypatch.setattr(bus_module, "_RETRY_SECONDS", 0.05)
    return failing


async def hear(bus: LayerBus, topic: str) -> "asyncio.Queue[Message]":
    queue: asyncio.Queue[Message] = asyncio.Queue()
    await bus.subscribe(topic, queue.put_nowait)
    return queue


async def test_what_is_published_is_heard_by_each_subscriber_of_the_topic_in_order() -> None:
    sender, reader = make_bus(), LayerBus()
    first, second, other = await hear(reader, "run.1"), await hear(reader, "run.1"), await hear(reader, "run.2")
    for number in range(100):
        await sender.publish("run.1", {"kind": "test", "number": number, "text": "ü\u0000"})
    for queue in (first, second):
        async with asyncio.timeout(60):
            received = [await queue.get() for _ in range(100)]
        assert [message["number"] for message in received] == list(range(100))
    assert other.empty()
    await sender.close()
    await reader.close()


async def test_who_unsubscribed_hears_nothing_more() -> None:
    bus = LayerBus()
    gone: list[Message] = []
    unsubscribe = await bus.subscribe("topic", gone.append)
    stays = await hear(bus, "topic")
    await unsubscribe()
    await bus.publish("topic", {"kind": "test"})
    async with asyncio.timeout(60):
        await stays.get()
    assert gone == []
    await bus.close()


async def test_a_broken_layer_costs_messages_and_log_lines_but_raises_nothing(
    layer: FailingLayer, caplog: pytest.LogCaptureFixture
) -> None:
    bus = LayerBus()
    before = await hear(bus, "before")
    with caplog.at_level(logging.WARNING):
        layer.broken = True
        await bus.publish("before", {"kind": "lost"})
        meanwhile = await hear(bus, "meanwhile")
        layer.broken = False
    assert "readers heal from the log" in caplog.text
    for topic, queue in (("before", before), ("meanwhile", meanwhile)):
        async with asyncio.timeout(60):
            while queue.empty():
                await bus.publish(topic, {"kind": "found"})
                await asyncio.sleep(0.05)
        assert (await queue.get())["kind"] == "found"
    await bus.close()
