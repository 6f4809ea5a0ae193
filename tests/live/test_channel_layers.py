"""What every channel layer promises, applied to all three."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from runs.live.layers.postgresql import PART_BYTES, Parts, array, split
from tests.live.layers import CLASSES, make_layer

Layer = Any


@pytest.fixture(params=sorted(CLASSES))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def config(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    if kind == "sqlite":
        return {"path": str(tmp_path / "live.sqlite3")}
    if kind == "postgresql":
        return {"url": request.getfixturevalue("postgresql_url")}
    address = request.getfixturevalue("redis_url")
    return {"hosts": [{"address": address, "socket_timeout": None}], "prefix": uuid4().hex}


@pytest.fixture
async def make(kind: str, config: dict[str, Any]) -> AsyncIterator[Callable[[], Layer]]:
    """Each layer stands for a process of its own: nothing but the transport connects two of them."""
    made: list[Layer] = []

    def make_one() -> Layer:
        made.append(make_layer(kind, config))
        return made[-1]

    yield make_one
    for layer in made:
        await layer.flush()


async def receive(layer: Layer, channel: str) -> dict[str, Any]:
    message: dict[str, Any] = await asyncio.wait_for(layer.receive(channel), timeout=60)
    return message


async def join(layer: Layer, group: str, members: int) -> list[str]:
    channels = [await layer.new_channel() for _ in range(members)]
    for channel in channels:
        await layer.group_add(group, channel)
    return channels


@pytest.mark.parametrize("members", [1, 3, 20])
async def test_each_of_n_members_gets_each_message_once_and_in_order(make: Callable[[], Layer], members: int) -> None:
    reader, sender, group = make(), make(), uuid4().hex
    channels = await join(reader, group, members)
    for number in range(50):
        await sender.group_send(group, {"type": "test", "number": number})
    await sender.group_send(group, {"type": "end"})
    for channel in channels:
        received = [await receive(reader, channel) for _ in range(51)]
        assert [message.get("number") for message in received] == [*range(50), None]


async def test_a_sender_that_is_a_member_gets_its_own_message(make: Callable[[], Layer]) -> None:
    layer, group = make(), uuid4().hex
    [channel] = await join(layer, group, 1)
    await layer.group_send(group, {"type": "test", "text": "a\u0000ü\U0001f600"})
    assert await receive(layer, channel) == {"type": "test", "text": "a\u0000ü\U0001f600"}


async def test_a_member_that_left_gets_nothing_more(make: Callable[[], Layer]) -> None:
    layer, group = make(), uuid4().hex
    gone, stays = await join(layer, group, 2)
    await layer.group_discard(group, gone)
    await layer.group_send(group, {"type": "test"})
    await layer.send(gone, {"type": "direct"})
    assert (await receive(layer, stays))["type"] == "test"
    assert (await receive(layer, gone))["type"] == "direct"


async def test_a_channel_is_reached_from_another_process(make: Callable[[], Layer]) -> None:
    reader, sender = make(), make()
    channel = await reader.new_channel()
    await sender.send(channel, {"type": "test", "data": b"\x00\xff"})
    assert await receive(reader, channel) == {"type": "test", "data": b"\x00\xff"}


async def test_groups_do_not_hear_each_other(make: Callable[[], Layer]) -> None:
    layer, one, two = make(), uuid4().hex, uuid4().hex
    [first], [second] = await join(layer, one, 1), await join(layer, two, 1)
    await layer.group_send(one, {"type": "one"})
    await layer.group_send(two, {"type": "two"})
    assert (await receive(layer, first))["type"] == "one"
    assert (await receive(layer, second))["type"] == "two"


@pytest.mark.parametrize("size", [10, 20_000])
async def test_bursts_of_two_other_processes_arrive_whole_and_in_order(
    make: Callable[[], Layer], kind: str, config: dict[str, Any], size: int
) -> None:
    layer, count = make(), 300 if size < 1000 else 60
    groups = [uuid4().hex, uuid4().hex]
    channels = [(await join(layer, group, 2)) for group in groups]
    senders = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.live.layers", kind, json.dumps(config), group, str(count), str(size)
        )
        for group in groups
    ]
    for channel in [channel for members in channels for channel in members]:
        received = [await receive(layer, channel) for _ in range(count)]
        assert [message["number"] for message in received] == list(range(count))
        assert all(message["text"] == "ü" * size for message in received)
    assert [await sender.wait() for sender in senders] == [0, 0]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_full_channel_drops_what_comes_last(kind: str, config: dict[str, Any]) -> None:
    layer = make_layer(kind, config | {"capacity": 3})
    [small] = await join(layer, "group", 1)
    for number in range(6):
        await layer.group_send("group", {"type": "test", "number": number})
    other = await layer.new_channel()
    await layer.send(other, {"type": "after"})
    await receive(layer, other)
    assert [(await receive(layer, small))["number"] for _ in range(3)] == [0, 1, 2]
    await layer.flush()


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_the_postgresql_layer_opens_lost_connections_again(
    make: Callable[[], Layer], config: dict[str, Any]
) -> None:
    import psycopg

    layer, group = make(), uuid4().hex
    [channel] = await join(layer, group, 1)
    await layer.group_send(group, {"type": "before"})
    await receive(layer, channel)
    async with await psycopg.AsyncConnection.connect(config["url"], autocommit=True) as admin:
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'perdure-live'"
        )
    received = asyncio.create_task(receive(layer, channel))
    async with asyncio.timeout(60):
        while not received.done():
            await layer.group_send(group, {"type": "after"})
            await asyncio.wait([received], timeout=0.05)
    assert (await received)["type"] == "after"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("name", ["", "white space", "ü", "x" * 100])
async def test_a_bad_name_is_refused(make: Callable[[], Layer], name: str) -> None:
    layer = make()
    with pytest.raises(TypeError):
        await layer.group_send(name, {"type": "test"})
    with pytest.raises(TypeError):
        await layer.send(name, {"type": "test"})


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_value_that_json_cannot_hold_is_refused_with_its_type(make: Callable[[], Layer]) -> None:
    with pytest.raises(TypeError, match="not set"):
        await make().group_send("group", {"type": "test", "value": {1}})


@pytest.mark.parametrize("length", [0, 1, PART_BYTES, 3 * PART_BYTES, 1_000_000])
def test_parts_fit_a_notify_and_make_the_same_text_in_any_order(length: int) -> None:
    text = "abcdefghij" * (length // 10)
    parts = list(split(text))
    assert all(len(part) <= PART_BYTES for part in parts)
    together = Parts(expiry=60)
    *early, last = [together.add(part) for part in reversed(parts)]
    assert last == text
    assert all(found is None for found in early)


def test_what_is_no_part_is_ignored() -> None:
    assert Parts(expiry=60).add("hello") is None
    assert Parts(expiry=60).add("a:b:c:d") is None


def test_an_array_is_read_by_postgresql_as_it_was_written(postgresql_url: str) -> None:
    texts = ["", "NULL", "plain", '{a,"b\\"}', '{\\"text\\": \\"a \\\\ b\\"}', "a,b", " ", "ü", "'"]
    with psycopg.connect(postgresql_url) as connection:
        row = connection.execute("SELECT %s::text[]", (array(texts),)).fetchone()
    assert row == (texts,)
