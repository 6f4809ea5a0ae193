"""What goes wrong at a vendor is one of our errors: the same one on each wire, with its wait and what it cost."""

import asyncio
import time
from email.utils import formatdate
from typing import Any

import pytest

from providers.client import ModelClient, open_client
from providers.errors import (
    AuthenticationFailed,
    BadRequest,
    ContextOverflow,
    MalformedAnswer,
    ModelNotFound,
    NotSupported,
    Overloaded,
    ProviderError,
    ProviderTimeout,
    QuotaExceeded,
    RateLimited,
    Refused,
    StreamCut,
    Unavailable,
)
from providers.requests import ToolSpec
from tests.providers.conftest import WIRES, ask, endpoint, reply_of
from tests.vendors.process import FakeVendor

ANSWERED: list[tuple[dict[str, Any], type[ProviderError]]] = [
    ({"status": 400}, BadRequest),
    ({"status": 401}, AuthenticationFailed),
    ({"status": 403}, AuthenticationFailed),
    ({"status": 404}, ModelNotFound),
    ({"status": 413}, ContextOverflow),
    ({"status": 429}, RateLimited),
    ({"status": 500}, Unavailable),
    ({"status": 502}, Unavailable),
    ({"status": 503}, Overloaded),
    ({"status": 529}, Overloaded),
    ({"fault": "quota"}, QuotaExceeded),
    ({"fault": "context_overflow"}, ContextOverflow),
    ({"fault": "refusal"}, Refused),
    ({"fault": "content_filter"}, Refused),
    ({"fault": "reset"}, Unavailable),
]


async def failure_of(client: ModelClient, text: str = "Tell me", **options: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await reply_of(client, ask(text, **options))
    return caught.value


async def test_an_answer_that_is_an_error_is_told_apart(client: ModelClient, vendor: FakeVendor) -> None:
    vendor.script([{"match": f"^case {number}$", **rule} for number, (rule, _) in enumerate(ANSWERED)])
    errors = [await failure_of(client, f"case {number}") for number in range(len(ANSWERED))]
    assert [(rule, type(error)) for (rule, _), error in zip(ANSWERED, errors, strict=True)] == ANSWERED
    assert all(error.message.endswith(error.remedy) for error in errors)
    assert len(vendor.calls()) == len(ANSWERED), "nothing is tried twice here"


BROKEN: list[tuple[str, int, type[ProviderError]]] = [
    (fault, after, kind)
    for fault, kind in (("cut", StreamCut), ("truncated", StreamCut), ("malformed", MalformedAnswer))
    for after in (0, 2)
]


async def test_a_broken_stream_is_never_an_answer_and_its_cost_is_known(
    client: ModelClient, vendor: FakeVendor
) -> None:
    chunks = ["one ", "two ", "three ", "four"]
    vendor.script(
        [
            {"match": f"^case {number}$", "chunks": chunks, "fault": fault, "after_chunks": after}
            for number, (fault, after, _) in enumerate(BROKEN)
        ]
    )
    for number, (_, after, kind) in enumerate(BROKEN):
        error = await failure_of(client, f"case {number}")
        assert type(error) is kind
        assert error.is_retryable
        assert error.usage is not None
        assert error.usage.is_estimated
        assert error.usage.input_tokens > 0
        assert error.usage.output_tokens >= after
        if isinstance(error, StreamCut):
            assert error.text == "one two "[: after * 4]


async def test_an_error_in_the_middle_of_a_stream_is_what_the_vendor_says(
    client: ModelClient, vendor: FakeVendor
) -> None:
    vendor.script([{"chunks": ["one ", "two ", "three"], "fault": "error_in_stream", "after_chunks": 1}])
    error = await failure_of(client)
    assert type(error) is (Overloaded if client.kind == "anthropic" else Unavailable)
    assert error.usage is not None


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("after", [0, 1])
async def test_a_silence_longer_than_the_timeout_is_a_timeout(vendor: FakeVendor, wire: str, after: int) -> None:
    vendor.script([{"chunks": ["one ", "two"], "gate": "never", "gate_after": after}])
    client = open_client(endpoint(vendor, wire, timeout_seconds=0.3))
    try:
        error = await failure_of(client)
    finally:
        await client.aclose()
    assert type(error) is ProviderTimeout
    vendor.wait_until(lambda stats: stats["now"] == 0)


async def test_a_slow_stream_whose_pieces_come_in_time_is_an_answer(vendor: FakeVendor) -> None:
    vendor.script([{"chunks": ["a", "b", "c"], "chunk_delay_seconds": 1}])
    clients = [open_client(endpoint(vendor, wire, timeout_seconds=2.9)) for wire in WIRES]
    try:
        replies = await asyncio.gather(*(reply_of(client, ask()) for client in clients))
    finally:
        for client in clients:
            await client.aclose()
    assert [reply.message.text for reply in replies] == ["abc"] * 3


async def test_the_wait_that_a_vendor_asks_for_is_told_in_seconds(client: ModelClient, vendor: FakeVendor) -> None:
    vendor.script(
        [
            {"nth": 1, "status": 429, "retry_after": 7},
            {"nth": 2, "status": 529, "retry_after": "1.5"},
            {"nth": 3, "status": 503, "retry_after": formatdate(time.time() + 1000, usegmt=True)},
            {"nth": 4, "status": 429, "retry_after": formatdate(time.time() - 1000, usegmt=True)},
            {"nth": 5, "status": 429, "retry_after": "soon"},
        ]
    )
    waits = [(await failure_of(client)).retry_after for _ in range(5)]
    assert (waits[0], waits[1], waits[3], waits[4]) == (7, 1.5, 0, None)
    assert 0 < (waits[2] or 0) <= 1000


async def test_a_call_with_broken_arguments_is_malformed(client: ModelClient, vendor: FakeVendor) -> None:
    vendor.script([{"tool_calls": [{"name": "weather", "arguments": '["not an object"'}]}])
    error = await failure_of(client, tools=[ToolSpec(name="weather")])
    assert type(error) is MalformedAnswer
    assert "'weather'" in str(error)
    assert error.usage is not None


async def test_a_refusal_says_what_it_cost_and_why(client: ModelClient, vendor: FakeVendor) -> None:
    vendor.script([{"fault": "refusal", "text": "I cannot help with this."}])
    error = await failure_of(client)
    assert "I cannot help with this." in str(error)
    assert error.usage is not None
    assert error.usage.input_tokens > 0
    assert not error.is_retryable


async def test_nobody_at_the_address_is_unavailable() -> None:
    with FakeVendor() as gone:
        clients = [open_client(endpoint(gone, wire)) for wire in WIRES]
    for client in clients:
        error = await failure_of(client)
        await client.aclose()
        assert (type(error), error.usage) == (Unavailable, None)


async def test_an_address_that_offers_no_such_call_is_not_a_missing_model(vendor: FakeVendor) -> None:
    for wire in ("openai", "anthropic"):
        client = open_client(endpoint(vendor, wire, base_url=f"{vendor.url}/nowhere"))
        try:
            error = await failure_of(client)
        finally:
            await client.aclose()
        assert type(error) is NotSupported
        assert "base URL" in str(error)


async def test_embeddings_and_images_fail_alike(openai: ModelClient, vendor: FakeVendor) -> None:
    vendor.script(
        [{"operation": "embeddings", "status": 429, "retry_after": 3}, {"operation": "images", "status": 401}]
    )
    with pytest.raises(RateLimited) as limited:
        await openai.embed(["one"])
    assert limited.value.retry_after == 3
    with pytest.raises(AuthenticationFailed):
        await openai.image("a cat")
    vendor.script([{"fault": "malformed"}])
    with pytest.raises(MalformedAnswer):
        await openai.embed(["one"])
    with pytest.raises(MalformedAnswer):
        await openai.image("a cat")
    vendor.script([{"fault": "cut"}])
    with pytest.raises(Unavailable):
        await openai.embed(["one"])
