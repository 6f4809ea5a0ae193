"""What a model is asked."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from providers.messages import Message


class ToolSpec(BaseModel):
    """A tool that the model may call; `parameters` is the JSON Schema of its arguments, an object."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    description: str = ""
    parameters: dict[str, Any] = {"type": "object", "properties": {}}


class ChatRequest(BaseModel):
    """One question to a model.

    `output_schema`: the answer's text is to be a JSON object of this JSON Schema (checked by the caller, not here).
    `continue_from`: the text of an answer that was cut. A client that `can_continue` asks the model to go on after it;
    what comes out is only the rest. Others ignore it and answer from the start. Not with an `output_schema`: no vendor
    can go on in the middle of JSON that it is held to.
    `extra`: more fields of the vendor's own request body.
    `persona`: who is to answer, for a scenario of the scripted provider; never sent to a vendor.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str | None = None
    messages: list[Message] = Field(min_length=1)
    tools: list[ToolSpec] = []
    output_schema: dict[str, Any] | None = None
    output_name: str = Field(default="result", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    max_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0)
    stop: list[str] = []
    continue_from: str = ""
    extra: dict[str, Any] = {}
    persona: str = ""

    @model_validator(mode="after")
    def _not_in_the_middle_of_json(self) -> "ChatRequest":
        if self.continue_from and self.output_schema is not None:
            raise ValueError("An answer with an output_schema cannot be continued. Ask for it from the start.")
        return self

    @property
    def last_user_text(self) -> str:
        return next((message.text for message in reversed(self.messages) if message.role == "user"), "")
