"""What goes wrong at the fake vendor reaches the vendors' own clients as it does from the vendors themselves."""

from typing import Any

import anthropic
import openai
import pytest

from tests.vendors import faults
from tests.vendors.process import FakeVendor

HELLO: Any = [{"role": "user", "content": "Say hello to the world"}]

OPENAI = {
    "bad_request": (openai.BadRequestError, None),
    "context_overflow": (openai.BadRequestError, "context_length_exceeded"),
    "authentication": (openai.AuthenticationError, "invalid_api_key"),
    "permission": (openai.PermissionDeniedError, None),
    "not_found": (openai.NotFoundError, "model_not_found"),
    "too_large": (openai.APIStatusError, None),
    "rate_limited": (openai.RateLimitError, "rate_limit_exceeded"),
    "quota": (openai.RateLimitError, "insufficient_quota"),
    "server_error": (openai.InternalServerError, None),
    "bad_gateway": (openai.InternalServerError, None),
    "unavailable": (openai.InternalServerError, None),
    "overloaded": (openai.InternalServerError, None),
}
ANTHROPIC = {
    "bad_request": "invalid_request_error",
    "context_overflow": "prompt is too long",
    "authentication": "authentication_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "too_large": "request_too_large",
    "rate_limited": "rate_limit_error",
    "quota": "credit balance",
    "server_error": "api_error",
    "bad_gateway": "502 Bad Gateway",
    "unavailable": "api_error",
    "overloaded": "overloaded_error",
}


async def streamed(gpt: openai.AsyncOpenAI) -> list[str]:
    stream = await gpt.chat.completions.create(model="m", messages=HELLO, stream=True)
    return [chunk.choices[0].delta.content or "" async for chunk in stream]


def test_every_status_is_tried_here() -> None:
    assert set(OPENAI) == set(ANTHROPIC) == set(faults.STATUSES) == set(faults.OF_STATUS.values()) | {
        "context_overflow", "quota",
    }  # fmt: skip


@pytest.mark.parametrize("fault", sorted(faults.STATUSES))
async def test_openais_errors(fault: str, gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    vendor.script([{"fault": fault}])
    kind, code = OPENAI[fault]
    with pytest.raises(kind) as caught:
        await streamed(gpt)
    assert (caught.value.status_code, caught.value.code) == (faults.STATUSES[fault], code)
    assert "sk-tests-1234" not in str(caught.value)
    assert [(call["outcome"], call["status"]) for call in vendor.calls()] == [(fault, faults.STATUSES[fault])]


@pytest.mark.parametrize("fault", sorted(faults.STATUSES))
async def test_anthropics_errors(fault: str, claude: anthropic.AsyncAnthropic, vendor: FakeVendor) -> None:
    vendor.script([{"fault": fault}])
    with pytest.raises(anthropic.APIStatusError, match=ANTHROPIC[fault]) as caught:
        await claude.messages.create(model="m", max_tokens=9, messages=HELLO)
    assert caught.value.status_code == faults.status_of(fault, "anthropic")


async def test_a_status_names_a_fault_and_may_say_when_to_come_back(
    gpt: openai.AsyncOpenAI, vendor: FakeVendor
) -> None:
    vendor.script([{"status": 429, "retry_after": 7, "message": "Not so fast."}])
    with pytest.raises(openai.RateLimitError, match=r"Not so fast\.") as caught:
        await streamed(gpt)
    assert caught.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize("fault", ["cut", "reset"])
async def test_a_connection_that_ends(fault: str, gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    vendor.script([{"fault": fault, "after_chunks": 2}])
    with pytest.raises(openai.APIConnectionError):
        await streamed(gpt)
    assert [(call["outcome"], call["sent"]) for call in vendor.calls()] == [(fault, 2 if fault == "cut" else 0)]
    with pytest.raises(openai.APIConnectionError):
        await gpt.chat.completions.create(model="m", messages=HELLO)


@pytest.mark.parametrize("fault", ["malformed", "truncated"])
async def test_json_that_is_none(fault: str, gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    vendor.script([{"fault": fault}])
    if fault == "malformed":
        with pytest.raises(ValueError, match="Unterminated string"):
            await streamed(gpt)
    else:
        assert len(await streamed(gpt)) == 2
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        await gpt.chat.completions.create(model="m", messages=HELLO)


async def test_an_error_in_the_middle_of_a_stream(
    gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic, vendor: FakeVendor
) -> None:
    vendor.script([{"fault": "error_in_stream"}])
    with pytest.raises(openai.APIError, match="The server had an error"):
        await streamed(gpt)
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        async with claude.messages.stream(model="m", max_tokens=9, messages=HELLO) as stream:
            await stream.get_final_message()


async def test_a_stream_that_stalls_until_the_client_leaves(gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    vendor.script([{"fault": "stall"}])
    impatient = gpt.with_options(timeout=0.2)
    with pytest.raises(openai.APITimeoutError):
        await streamed(impatient)
    vendor.wait_until(lambda stats: stats["now"] == 0)
    assert [call["outcome"] for call in vendor.calls()] == ["abandoned"]


async def test_a_refusal_of_anthropic_is_how_the_answer_stops(
    claude: anthropic.AsyncAnthropic, vendor: FakeVendor
) -> None:
    vendor.script([{"nth": 1, "fault": "refusal"}, {"nth": 2, "fault": "content_filter"}])
    message = await claude.messages.create(model="m", max_tokens=99, messages=HELLO)
    assert message.stop_reason == "refusal"
    with pytest.raises(anthropic.BadRequestError, match="content filtering"):
        await claude.messages.create(model="m", max_tokens=99, messages=HELLO)


async def test_a_filtered_answer_of_openai_ends_with_its_reason(gpt: openai.AsyncOpenAI, vendor: FakeVendor) -> None:
    vendor.script([{"fault": "content_filter"}])
    found = await gpt.chat.completions.create(model="m", messages=HELLO)
    assert found.choices[0].finish_reason == "content_filter"
