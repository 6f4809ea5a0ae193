"""What model calls give to jobs."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from providers.messages import ImagePart, Message, ToolCall
from providers.replies import FinishReason, Usage


class ChatResult(BaseModel):
    """The answer and how it came about.

    `output`: the answer as `output_type`, None without one. `messages`: the conversation after it, to go on from.
    `usage`, `cost`: of the calls that succeeded (those that failed are counted on their attempts); no cost for a model
    without a price. `provider` is the wire that answered; `scripted` is no model. `pending_calls`: those of
    `client_tools`, for whoever talks to the model to perform; `text` is then what was said along with them.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    output: Any = None
    messages: list[Message]
    usage: Usage
    cost: float | None = None
    finish_reason: FinishReason
    model: str
    provider: str
    turns: int
    pending_calls: list[ToolCall] = []


class OtherResult(BaseModel):
    """`provider` is the wire that answered; `scripted` is no model. No cost for a model without a price."""

    model_config = ConfigDict(frozen=True)

    usage: Usage
    cost: float | None = None
    model: str
    provider: str


class EmbedResult(OtherResult):
    """A vector for each text, in order."""

    vectors: list[list[float]]


class DrawResult(OtherResult):
    """Images by value or by address."""

    images: list[ImagePart]
