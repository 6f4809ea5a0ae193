"""What `chat-agent` gives. It takes a `flows.llm.conversation.Conversation`."""

from pydantic import BaseModel, Field

from providers.messages import ToolCall
from providers.replies import Usage


class Reply(BaseModel):
    """The result of one turn."""

    text: str = Field(description="In Markdown.")
    pending_calls: list[ToolCall] = Field(description="Calls of the frontend's tools, for it to perform.")
    usage: Usage
    answered_by: str = Field(description="The provider and its model.")
    turns: int = Field(description="How often it was asked, the turns after tool calls included.")
