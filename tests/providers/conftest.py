"""What the tests of providers share: questions, clients of each wire at the fake vendor, and reading to the end."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from providers.client import ModelClient, open_client
from providers.endpoint import Endpoint
from providers.messages import Message
from providers.replies import ChatItem, Reply
from providers.requests import ChatRequest
from tests.vendors.fixtures import vendor, vendor_process
from tests.vendors.process import FakeVendor

__all__ = ["vendor", "vendor_process"]

KEY = "sk-secret-0123456789-abcdef"
WIRES = ("openai", "ollama", "anthropic")


def ask(text: str = "Tell me about Paris", **options: Any) -> ChatRequest:
    return ChatRequest(messages=[Message(role="user", content=text)], **options)


async def items_of(client: ModelClient, request: ChatRequest) -> list[ChatItem]:
    async with aclosing(client.chat(request)) as stream:
        return [item async for item in stream]


async def reply_of(client: ModelClient, request: ChatRequest) -> Reply:
    last = (await items_of(client, request))[-1]
    assert isinstance(last, Reply)
    return last


def scripted(*rules: dict[str, Any], **options: Any) -> ModelClient:
    return open_client(Endpoint(kind="scripted", extra={"scenario": {"rules": list(rules)}}, **options))


def endpoint(vendor: FakeVendor, wire: str, **options: Any) -> Endpoint:
    url = getattr(vendor, f"{wire}_url")
    return Endpoint.model_validate(
        {"kind": wire, "base_url": url, "api_key": KEY, "default_model": "m-1", "timeout_seconds": 30, **options}
    )


@pytest.fixture
async def plain() -> AsyncIterator[ModelClient]:
    """The scripted provider without a scenario."""
    client = open_client(Endpoint(kind="scripted"))
    yield client
    await client.aclose()


@pytest.fixture(params=WIRES)
async def client(request: pytest.FixtureRequest, vendor: FakeVendor) -> AsyncIterator[ModelClient]:
    """A client of each wire in turn."""
    opened = open_client(endpoint(vendor, request.param))
    yield opened
    await opened.aclose()


@pytest.fixture
async def openai(vendor: FakeVendor) -> AsyncIterator[ModelClient]:
    opened = open_client(endpoint(vendor, "openai"))
    yield opened
    await opened.aclose()


@pytest.fixture
async def anthropic(vendor: FakeVendor) -> AsyncIterator[ModelClient]:
    opened = open_client(endpoint(vendor, "anthropic"))
    yield opened
    await opened.aclose()
