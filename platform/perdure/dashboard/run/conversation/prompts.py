"""What was asked: of flows the recorded instructions, of pipelines their templates filled, of chats their messages."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from flows.agents import naming as flows
from flows.llm.conversation import Conversation
from flows.pipelines import asked as pipelines
from flows.pipelines.starting import JOB as PIPELINE
from perdure.dashboard.flow.step import read_flow_step
from perdure.dashboard.run.conversation.entries import Prompt
from perdure.dashboard.run.titles import shown_input
from providers.messages import Message
from runs.jobs import readable, redact
from runs.models import Run

MESSAGES_SHOWN = 20
_ROLES = {"system": "System", "user": "User", "assistant": "Assistant", "tool": "Tool"}


def opening(run: Run) -> tuple[Prompt, ...]:
    """What a run was given before its first turn: its messages, its task, or its input."""
    given = shown_input(run, redact(run.input, run.secrets.get("input", [])))
    who = run.owner.get_username() if run.owner else "Whoever started it"
    if (messages := _messages(given)) is not None:
        return tuple(_of_message(message, who) for message in messages[-MESSAGES_SHOWN:])
    if given in (None, {}, ""):
        return ()
    if isinstance(given, dict) and run.job == flows.JOB and given.get("task"):
        return (Prompt(who, str(given["task"])),)
    return (Prompt(who, given if isinstance(given, str) else readable(given), facts=_facts(given)),)


def prompts_of(run: Run, chats: Sequence[str]) -> dict[str, tuple[Prompt, ...]]:
    """By chat, what its first turn was asked, as far as the run has it."""
    if run.job == PIPELINE:
        asked = pipelines.prompts_of(run, chats)
        return {chat: _system_and_user(one.system, one.user) for chat, one in asked.items()}
    if run.job == flows.JOB:
        return {chat: _of_flow(run, chat) for chat in chats}
    return {}


def _of_flow(run: Run, chat: str) -> tuple[Prompt, ...]:
    found = read_flow_step(run, chat)
    if found is None:
        return ()
    return _system_and_user(found.system, found.instruction or found.question)


def _system_and_user(system: str, user: str) -> tuple[Prompt, ...]:
    both = (Prompt("System prompt", system, "system"), Prompt("Prompt", user))
    return tuple(one for one in both if one.text)


def _messages(given: Any) -> list[Message] | None:
    """None for an input that is no conversation."""
    if not isinstance(given, dict) or not ("messages" in given or "text" in given):
        return None
    try:
        return Conversation.model_validate(given).said()
    except ValidationError:
        return None


def _of_message(message: Message, starter: str) -> Prompt:
    text = message.text or _calls(message)
    return Prompt(starter if message.role == "user" else _ROLES[message.role], text, message.role)


def _calls(message: Message) -> str:
    return "\n".join(f"{call.name}({readable(call.arguments)})" for call in message.tool_calls)


def _facts(given: Any) -> tuple[tuple[str, str], ...]:
    """The fields that say something, of an input whose fields are plain; none for another one."""
    if not isinstance(given, dict) or any(isinstance(value, dict) for value in given.values()):
        return ()
    said = [(name, value) for name, value in given.items() if value not in (None, "", [], False)]
    if any(isinstance(one, dict | list) for _, value in said if isinstance(value, list) for one in value):
        return ()
    return tuple((name.replace("_", " ").capitalize(), _shown(value)) for name, value in said)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return value if isinstance(value, str) else "yes" if value is True else str(value)
