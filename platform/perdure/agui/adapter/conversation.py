"""The messages of a conversation, as a client that heard everything has them."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from ag_ui.core import AssistantMessage, FunctionCall, Message, ReasoningMessage, ToolCall, ToolMessage

from perdure.agui.adapter import ids
from perdure.agui.adapter.parts import CallPart, Whole, WholeCall
from perdure.agui.adapter.streamed import StreamedAnswer


class Conversation:
    """What was there before the turn, and what is finished of it."""

    def __init__(self, run: UUID, history: Sequence[Message]) -> None:
        self._run = run
        self.messages: list[Message] = list(history)
        self.model_messages: dict[str, dict[str, Any]] = {}
        """Of messages that recorded model calls made, by id: the same as models are told it."""
        self._said: set[str] = set()
        self._of_step: dict[str, set[str]] = {}

    def has_said(self, text: str) -> bool:
        return text in self._said

    def add_answer(self, step: str, message_id: str, whole: Whole) -> None:
        if whole.reasoning:
            self._add(step, _reasoning(ids.reasoning_id(self._run, step), whole.reasoning))
        if whole.text or whole.calls:
            self._said.add(whole.text)
            self._add(step, _assistant(message_id, whole.text, [(one.id, one.name, one.text) for one in whole.calls]))

    def add_text(self, message_id: str, text: str) -> None:
        self._said.add(text)
        self.messages.append(_assistant(message_id, text, []))

    def add_result(self, step: str, call: WholeCall, content: str) -> str:
        """The id of the tool's message, which stands after the calling one and the results that it has."""
        made = ToolMessage(id=ids.result_id(self._run, call.id), content=content, tool_call_id=call.id)
        at = _after_call(self.messages, call.id)
        self.messages.insert(at, made)
        self._of_step.setdefault(step, set()).add(made.id)
        return made.id

    def forget(self, step: str) -> bool:
        """What the step had said, and what its calls gave; it is performed again. False if there was nothing."""
        gone = self._of_step.pop(step, set())
        if not gone:
            return False  # as almost always: a long conversation is not gone through for each answer
        calls = {call.id for one in self.messages if one.id in gone for call in getattr(one, "tool_calls", None) or ()}
        gone = gone | {one.id for one in self.messages if isinstance(one, ToolMessage) and one.tool_call_id in calls}
        self.messages = [message for message in self.messages if message.id not in gone]
        for message_id in gone:
            self.model_messages.pop(message_id, None)
        return True

    def with_begun(self, answers: Iterable[StreamedAnswer]) -> list[Message]:
        """With what was told of answers that are still coming. Only for those that are known."""
        return [*self.messages, *(message for answer in answers for message in _begun(answer))]

    def _add(self, step: str, message: Message) -> None:
        self.messages.append(message)
        self._of_step.setdefault(step, set()).add(message.id)


def _begun(answer: StreamedAnswer) -> list[Message]:
    found: list[Message] = []
    if answer.reasoning.was_told:
        found.append(_reasoning(answer.reasoning_id, answer.reasoning.known))
    if answer.text.was_told:
        found.append(_assistant(answer.message_id, answer.text.known, [_told(one) for one in answer.calls_told()]))
    return found


def _told(call: CallPart) -> tuple[str, str, str]:
    return call.id, call.name, call.arguments.known


def _reasoning(message_id: str, content: str) -> ReasoningMessage:
    return ReasoningMessage(id=message_id, content=content)


def _assistant(message_id: str, text: str, calls: list[tuple[str, str, str]]) -> AssistantMessage:
    made = [ToolCall(id=own, function=FunctionCall(name=name, arguments=arguments)) for own, name, arguments in calls]
    return AssistantMessage(id=message_id, content=text or None, tool_calls=made or None)


def _after_call(messages: list[Message], call_id: str) -> int:
    for index in range(len(messages) - 1, -1, -1):  # it is among the last
        message = messages[index]
        if isinstance(message, AssistantMessage) and any(call.id == call_id for call in message.tool_calls or ()):
            index += 1
            while index < len(messages) and isinstance(messages[index], ToolMessage):
                index += 1
            return index
    return len(messages)
