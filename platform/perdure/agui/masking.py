"""What a run's input declares secret is not kept beside it either: clients send it in messages and properties."""

from collections.abc import Iterator, Sequence
from typing import Any

from ag_ui.core import Message
from pydantic import TypeAdapter

from runs.models import Run

MASK = "***"
_messages: TypeAdapter[list[Message]] = TypeAdapter(list[Message])


def mask(run: Run, value: Any) -> Any:
    """JSON without the secrets of the run's input, wherever they stand in it."""
    found = sorted(secrets_of(run), key=len, reverse=True)
    return _masked(value, found) if found else value


def mask_messages(run: Run, messages: Sequence[Message]) -> list[Message]:
    if not run.secrets.get("input"):
        return list(messages)
    dumped = [message.model_dump(mode="json", by_alias=True) for message in messages]
    return _messages.validate_python([one | {"content": mask(run, one.get("content", ""))} for one in dumped])


def secrets_of(run: Run) -> set[str]:
    """Texts and numbers at the paths that the input's type declares secret."""
    found: set[str] = set()
    for path in run.secrets.get("input") or ():
        value: Any = run.input
        for key in path:
            value = value[key]
        found |= {text for text in _texts(value) if text}
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def _masked(value: Any, secrets: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {key: _masked(one, secrets) for key, one in value.items()}
    if isinstance(value, list):
        return [_masked(one, secrets) for one in value]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    text = str(value)
    for secret in secrets:
        text = text.replace(secret, MASK)
    return value if text == str(value) else text
