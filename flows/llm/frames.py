"""What readers see of an answer while it comes: frames of text, reasoning and tool calls."""

import asyncio
from contextlib import suppress
from typing import Any, Final

from flows.llm.conf import get_settings
from flows.llm.texts import storable
from providers.replies import ReasoningDelta, TextDelta, ToolCallDelta
from runs.errors import StepCancelled
from runs.jobs import Emit

MAX_CHARACTERS: Final = 32 * 1024
"""Of one frame: in JSON a character takes six bytes at most, and an emit may have 256 KiB."""


class Frames:
    """Gathers the pieces of a few hundredths of a second: vendors send a frame for each token.

    A frame is `{"type": "text" | "reasoning", "text"}` or `{"type": "tool_call", "id", "name", "arguments"}`, the last
    a fragment of JSON text.
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._seconds = get_settings().frame_seconds
        self._pending: dict[str, Any] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, delta: TextDelta | ReasoningDelta | ToolCallDelta) -> None:
        """Raises StepCancelled once the attempt was told to stop."""
        frame, key = _frame_of(delta)
        if self._pending and not _is_more_of(self._pending, frame, key):
            self.flush()
        if self._pending:
            self._pending[key] += frame[key]
        else:
            self._pending = frame
        if len(self._pending[key]) >= MAX_CHARACTERS:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._flush_late)

    def flush(self) -> None:
        """Send what was gathered. Raises StepCancelled once the attempt was told to stop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        frame, self._pending = self._pending, {}
        if not frame:
            return
        key = _key_of(frame)
        text = storable(frame[key])
        for start in range(0, max(len(text), 1), MAX_CHARACTERS):
            self._emit(frame | {key: text[start : start + MAX_CHARACTERS]})

    def close(self) -> None:
        """What was gathered goes out, unless the attempt was told to stop."""
        self._flush_late()

    def _flush_late(self) -> None:
        with suppress(StepCancelled):  # whoever reads the stream meets it too
            self.flush()


def _frame_of(delta: TextDelta | ReasoningDelta | ToolCallDelta) -> tuple[dict[str, Any], str]:
    if isinstance(delta, ToolCallDelta):
        frame = {"type": "tool_call", "id": storable(delta.id), "name": storable(delta.name)}
        return frame | {"arguments": delta.arguments}, "arguments"
    return {"type": delta.kind, "text": delta.text}, "text"


def _key_of(frame: dict[str, Any]) -> str:
    return "arguments" if frame["type"] == "tool_call" else "text"


def _is_more_of(pending: dict[str, Any], frame: dict[str, Any], key: str) -> bool:
    return {**pending, key: ""} == {**frame, key: ""}
