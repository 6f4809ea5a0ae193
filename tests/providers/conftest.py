"""What the tests of providers share: questions, and reading a stream to its end."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from providers.client import ModelClient, open_client
from providers.endpoint import Endpoint
from providers.messages import Message
from providers.replies import ChatItem, Reply
from providers.requests import ChatRequest


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


@pytest.fixture
async def plain() -> AsyncIterator[ModelClient]:
    """The scripted provider without a scenario."""
    client = open_client(Endpoint(kind="scripted"))
    yield client
    await client.aclose()
