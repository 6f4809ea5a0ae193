"""What a model answers: the pieces of a stream as they come, and what they add up to."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from providers.messages import ImagePart, Message

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


class Piece(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TextDelta(Piece):
    kind: Literal["text"] = "text"
    text: str


class ReasoningDelta(Piece):
    kind: Literal["reasoning"] = "reasoning"
    text: str


class ToolCallDelta(Piece):
    """A fragment of call number `index` (from 0), with its `id` and `name`; `arguments` is a piece of JSON text."""

    kind: Literal["tool_call"] = "tool_call"
    index: int
    id: str
    name: str
    arguments: str = ""


class Usage(Piece):
    """Tokens of one call. `input_tokens` holds the cached ones, `output_tokens` those of the reasoning.

    `is_estimated`: the vendor said nothing (a cut stream), so it is the characters over four.
    """

    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    cached_tokens: int = Field(default=0, ge=0)
    reasoning_tokens: int = Field(default=0, ge=0)
    is_estimated: bool = False


class Reply(Piece):
    """The last item of a stream. Its message's text is the text deltas joined, its calls are parsed.

    With an `output_schema` the text is the JSON, whichever way the vendor was asked for it.
    `provider_kind` is the kind of wire that answered; `scripted` is no model.
    """

    kind: Literal["reply"] = "reply"
    message: Message
    finish_reason: FinishReason
    usage: Usage
    model: str
    provider_kind: str


class Images(Piece):
    images: list[ImagePart]
    usage: Usage
    model: str = ""


class Embeddings(Piece):
    """One vector for each text, in order."""

    vectors: list[list[float]]
    usage: Usage
    model: str


ChatItem = TextDelta | ReasoningDelta | ToolCallDelta | Reply
