"""Our messages in pydantic-ai's, and what a request asks beside them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic_ai.messages import (
    BinaryContent,
    ImageUrl,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from providers.endpoint import Endpoint
from providers.messages import ImagePart, Message
from providers.requests import ChatRequest


def conversation(messages: Sequence[Message], continue_from: str) -> list[ModelMessage]:
    """What people and tools said in a row is one request, as the vendors want it.

    `continue_from` is the beginning of the answer, without white space at its end, which Anthropic refuses there.
    """
    found: list[ModelMessage] = []
    asked: list[ModelRequestPart] = []
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    for message in messages:
        if message.role == "assistant":
            if asked:
                found.append(ModelRequest(parts=asked))
            found.append(ModelResponse(parts=_said(message)))
            asked = []
        else:
            asked = [*asked, _asked(message, names)]
    if asked:
        found.append(ModelRequest(parts=asked))
    if continue_from.rstrip():
        found.append(ModelResponse(parts=[TextPart(continue_from.rstrip())]))
    return found


def _asked(message: Message, names: dict[str, str]) -> ModelRequestPart:
    if message.role == "system":
        return SystemPromptPart(message.text)
    if message.role == "user":
        return UserPromptPart(message.content if isinstance(message.content, str) else _contents(message))
    identity = message.tool_call_id or ""
    return ToolReturnPart(
        tool_name=message.tool_name or names.get(identity, ""),
        content=message.text if not message.images else _contents(message),
        tool_call_id=identity,
        outcome="failed" if message.is_error else "success",
    )


def _contents(message: Message) -> list[UserContent]:
    parts = message.content if isinstance(message.content, list) else []
    return [_image(part) if isinstance(part, ImagePart) else part.text for part in parts]


def _image(part: ImagePart) -> BinaryContent | ImageUrl:
    if part.url is not None:
        return ImageUrl(part.url, media_type=part.media_type)
    return BinaryContent(part.content(), media_type=part.media_type)


def _said(message: Message) -> list[ModelResponsePart]:
    """Reasoning goes back only with the signature that its vendor gave it; without one no vendor takes it."""
    parts: list[ModelResponsePart] = [
        ThinkingPart(part.text, id=part.id, signature=part.signature, provider_name=part.provider)
        for part in message.signed_reasoning
    ]
    if message.text:
        parts.append(TextPart(message.text))
    return parts + [ToolCallPart(call.name, call.arguments, call.id) for call in message.tool_calls]


def settings(request: ChatRequest, endpoint: Endpoint) -> ModelSettings:
    """What the request and the endpoint say beside the messages; the request's extra fields win."""
    found = ModelSettings(max_retries=0)
    if request.max_tokens is not None:
        found["max_tokens"] = request.max_tokens
    if request.temperature is not None:
        found["temperature"] = request.temperature
    if request.stop:
        found["stop_sequences"] = request.stop
    body = {**endpoint.body, **request.extra}
    if body:
        found["extra_body"] = body
    return found


def answer_tool(request: ChatRequest, *, has_json_schema: bool) -> str | None:
    """The name of the tool by which an answer of a schema is asked for, where the vendor has no schemas."""
    if request.output_schema is None or has_json_schema:
        return None
    name = request.output_name
    while name in {tool.name for tool in request.tools}:
        name = f"final_{name}"
    return name


def parameters(request: ChatRequest, answer_by: str | None) -> ModelRequestParameters:
    """The tools, and the schema of the answer: as the tool `answer_by` that must be called, or else natively."""
    tools = [_tool(tool.name, tool.description, tool.parameters) for tool in request.tools]
    if request.output_schema is None:
        return ModelRequestParameters(function_tools=tools)
    if answer_by is None:
        wanted = OutputObjectDefinition(request.output_schema, name=request.output_name)
        return ModelRequestParameters(function_tools=tools, output_mode="native", output_object=wanted)
    answer = _tool(answer_by, "Give your final answer by calling this tool.", request.output_schema)
    return ModelRequestParameters(
        function_tools=tools,
        output_mode="tool",
        output_tools=[replace(answer, kind="output")],
        allow_text_output=False,
    )


def _tool(name: str, description: str, schema: dict[str, Any]) -> ToolDefinition:
    return ToolDefinition(name=name, description=description, parameters_json_schema=schema)
