"""pydantic-ai's direct requests work with the fake vendor, on each wire."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import openai
import pytest
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    UserContent,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.ollama import OllamaProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.tools import ToolDefinition

from tests.vendors.process import FakeVendor

LOOK = ToolDefinition(name="look", parameters_json_schema={"type": "object", "properties": {"at": {"type": "string"}}})


@asynccontextmanager
async def opened(wire: str, vendor: FakeVendor) -> AsyncIterator[Model]:
    if wire == "anthropic":
        async with anthropic.AsyncAnthropic(base_url=vendor.anthropic_url, api_key="k", max_retries=0) as claude:
            yield AnthropicModel("m", provider=AnthropicProvider(anthropic_client=claude))
        return
    url = vendor.openai_url if wire == "openai" else f"{vendor.ollama_url}/v1"
    async with openai.AsyncOpenAI(base_url=url, api_key="k", max_retries=0) as gpt:
        provider: Any = (OpenAIProvider if wire == "openai" else OllamaProvider)(openai_client=gpt)
        yield OpenAIChatModel("m", provider=provider)


async def ask(model: Model, *content: UserContent) -> tuple[ModelResponse, list[str]]:
    """The response, and the kinds of the events that led to it."""
    messages: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart(content=list(content))])]
    parameters = ModelRequestParameters(function_tools=[LOOK])
    async with model_request_stream(model, messages, model_request_parameters=parameters) as stream:
        kinds: list[str] = [event.event_kind async for event in stream]
        return stream.get(), kinds


@pytest.mark.parametrize("wire", ["openai", "ollama", "anthropic"])
async def test_thinking_text_and_tool_calls_stream(wire: str, vendor: FakeVendor) -> None:
    call = {"name": "look", "arguments": {"at": "the stars"}}
    vendor.script([{"reasoning": "Let me think a while.", "text": "I look now.", "tool_calls": [call]}])
    async with opened(wire, vendor) as model:
        response, kinds = await ask(model, "Say hello")
    parts = {type(part): part for part in response.parts}
    thinking, text, look = parts[ThinkingPart], parts[TextPart], parts[ToolCallPart]
    assert isinstance(thinking, ThinkingPart)
    assert isinstance(text, TextPart)
    assert isinstance(look, ToolCallPart)
    assert (thinking.content, text.content) == ("Let me think a while.", "I look now.")
    assert look.args_as_dict() == {"at": "the stars"}
    assert kinds.count("part_delta") > 3
    assert response.finish_reason == "tool_call"
    assert response.usage.input_tokens == 3
    assert response.usage.output_tokens > 5


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_an_image_goes_in(wire: str, vendor: FakeVendor) -> None:
    async with opened(wire, vendor) as model:
        await ask(model, "What is this?", BinaryContent(b"hello", media_type="image/png"))
    assert [(call["images"], call["user_text"]) for call in vendor.calls()] == [(1, "What is this?")]
