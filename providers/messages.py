"""A conversation, vendor-free: frozen pydantic models that go to JSON and back unchanged."""

import base64
import binascii
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Role = Literal["system", "user", "assistant", "tool"]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TextPart(Part):
    kind: Literal["text"] = "text"
    text: str


class ImagePart(Part):
    """An image by value (`data`, base64) or by address (`url`, http or https), exactly one of both.

    An address is handed to the vendor, who fetches it; nothing here opens it.
    """

    kind: Literal["image"] = "image"
    media_type: str = Field(default="image/png", pattern=r"^image/[a-z0-9.+-]+$")
    data: str | None = Field(default=None, repr=False)
    url: str | None = Field(default=None, pattern=r"^https?://")

    @model_validator(mode="after")
    def _one_source(self) -> "ImagePart":
        if (self.data is None) == (self.url is None):
            raise ValueError("An image has either data (base64) or url. Give exactly one of both.")
        if self.data is not None:
            try:
                base64.b64decode(self.data, validate=True)
            except binascii.Error:
                raise ValueError("The image's data is not base64. Encode its bytes with base64.b64encode.") from None
        return self

    def content(self) -> bytes:
        """The image's bytes; raises ValueError for an image by address."""
        if self.data is None:
            raise ValueError("This image is an address, not bytes. Fetch it where that is allowed.")
        return base64.b64decode(self.data)


class ToolCall(Part):
    """A call that the model asks for; `arguments` is the parsed JSON object."""

    id: str
    name: str
    arguments: dict[str, Any] = {}


class SignedReasoning(Part):
    """Reasoning that its vendor signed and wants back unchanged when the conversation goes on; else opaque."""

    text: str
    signature: str = Field(repr=False)
    id: str | None = None
    provider: str


class Message(Part):
    """One turn. A `tool` message answers the call `tool_call_id` of an earlier assistant message."""

    role: Role
    content: str | list[Annotated[TextPart | ImagePart, Field(discriminator="kind")]] = ""
    reasoning: str = ""
    signed_reasoning: list[SignedReasoning] = []
    tool_calls: list[ToolCall] = []
    tool_call_id: str | None = None
    tool_name: str | None = None
    is_error: bool = False

    @property
    def text(self) -> str:
        """The text of the content, images left out."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if isinstance(part, TextPart))

    @property
    def images(self) -> list[ImagePart]:
        return [] if isinstance(self.content, str) else [part for part in self.content if isinstance(part, ImagePart)]
