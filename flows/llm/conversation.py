"""What a job that answers in a conversation takes: who talks to a frontend hands it over in this form."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from providers.messages import Message
from providers.requests import ToolSpec


class ContextEntry(BaseModel):
    """Something that the frontend tells the agent of itself: material, never an instruction."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = ""
    value: str = ""


class Conversation(BaseModel):
    """The input of a job that answers in a conversation.

    `messages`: all of it up to now, the user's new message or the results of the frontend's own tools at its end.
    `tools`: what the frontend can do itself; a job hands them to `chat(..., client_tools=...)` and calls none of them.
    `state`: the document that the frontend and the agent share; the job's is `step.state`. `props`: whatever else the
    frontend sent along (AG-UI's `forwardedProps`), unchecked. `text` is a user's message after all the others, for
    those who start the job by hand.
    """

    model_config = ConfigDict(extra="forbid")

    text: str = Field(default="", max_length=20_000, title="Text", description="What the user says, as a last message.")
    messages: list[Message] = Field(default=[], title="Messages", description="The conversation up to now.")
    tools: list[ToolSpec] = Field(default=[], title="Tools", description="What the frontend performs itself.")
    state: dict[str, Any] = Field(default={}, title="State", description="What the frontend and the agent share.")
    context: list[ContextEntry] = Field(default=[], title="Context", description="What the frontend tells of itself.")
    thread: str = Field(default="", max_length=256, title="Thread", description="The conversation's name.")
    props: dict[str, Any] = Field(default={}, title="Properties", description="What else the frontend sent along.")

    def said(self) -> list[Message]:
        """All of it as vendors take it: see `answered`."""
        last = [Message(role="user", content=self.text)] if self.text else []
        return answered([*self.messages, *last])


def answered(messages: list[Message]) -> list[Message]:
    """The conversation as vendors take it: the result of each call right behind the message that asked for it.

    A call without one is answered as such: the user went on without the frontend's result. A result without its call
    is left out.
    """
    results: dict[str, list[Message]] = {}
    for message in messages:
        if message.role == "tool" and message.tool_call_id is not None:
            results.setdefault(message.tool_call_id, []).append(message)
    found: list[Message] = []
    for message in messages:
        if message.role == "tool":
            continue
        found.append(message)
        for call in message.tool_calls:
            waiting = results.get(call.id)
            found.append(waiting.pop(0) if waiting else _missing(call.id, call.name))
    return found


def newest(messages: list[Message], characters: int) -> list[Message]:
    """The end of a conversation, from a message of the user on, of about so many characters of JSON at most.

    What the user said last stays in any case, with all that came after it.
    """
    begin, size = len(messages), 0
    for place in reversed(range(len(messages))):
        size += len(messages[place].model_dump_json(exclude_defaults=True))
        if size > characters and begin < len(messages):
            break
        if messages[place].role == "user":
            begin = place
    return messages[begin:] or messages


def _missing(call_id: str, tool: str) -> Message:
    told = f"{tool} gave no result: the user went on without it."
    return Message(role="tool", content=told, tool_call_id=call_id, tool_name=tool, is_error=True)
