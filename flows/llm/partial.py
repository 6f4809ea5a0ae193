"""An answer while it comes: shown to readers, counted, and kept so that a later attempt goes on from it."""

from typing import Any, Final

from pydantic import BaseModel

from flows.llm.conf import get_settings
from flows.llm.errors import AnswerTooLarge
from flows.llm.frames import Frames
from flows.llm.texts import size_of, storable
from flows.llm.usage import Tally
from providers.estimates import estimate
from providers.replies import ReasoningDelta, TextDelta, ToolCallDelta
from providers.requests import ChatRequest
from runs import clock
from runs.conf import get_settings as get_runs_settings
from runs.jobs import Checkpoint

ROOM: Final = 8 * 1024
"""Bytes of a recorded reply beside its text: its names, its usage, and what escapes need."""


class Rejected(BaseModel):
    """An answer that does not fit the wanted type, and what is wrong with it."""

    text: str
    problem: str


class Saved(BaseModel):
    """The state of a checkpoint. `text` and `reasoning` are what came until a cut; `rejected` is a whole answer."""

    text: str = ""
    reasoning: str = ""
    rejected: Rejected | None = None

    @classmethod
    def last(cls, checkpoint: Checkpoint) -> "Saved":
        return cls.model_validate(checkpoint.last or {})


class Partial:
    """`begun` is what an earlier attempt left, if the vendor goes on after it; readers see it first.

    `rejected` is the whole answer that this one is to correct: further attempts have to know it too.
    """

    def __init__(
        self,
        step: str,
        request: ChatRequest,
        begun: Saved,
        rejected: Rejected | None,
        frames: Frames,
        checkpoint: Checkpoint,
        tally: Tally,
    ) -> None:
        self._step, self._request, self._begun, self._rejected = step, request, begun, rejected
        self._frames, self._checkpoint, self._tally = frames, checkpoint, tally
        self._came: dict[str, list[str]] = {"text": [], "reasoning": [], "tool_call": []}
        self._limit = get_runs_settings().max_payload_bytes - ROOM
        self._size = 0
        self._characters = 0
        self._saved_characters, self._saved_at = 0, clock.monotonic()
        if begun.reasoning:
            self._take(ReasoningDelta(text=begun.reasoning), begun.reasoning)
        if begun.text:
            self._take(TextDelta(text=begun.text), begun.text)
        self.is_empty = True

    @property
    def text(self) -> str:
        """What came in this attempt and before."""
        return self._begun.text + "".join(self._came["text"])

    @property
    def reasoning(self) -> str:
        return self._begun.reasoning + "".join(self._came["reasoning"])

    async def add(self, delta: TextDelta | ReasoningDelta | ToolCallDelta) -> None:
        """Raises AnswerTooLarge, and StepCancelled once the attempt was told to stop."""
        piece = delta.arguments if isinstance(delta, ToolCallDelta) else delta.text
        self._came[delta.kind].append(piece)
        self.is_empty = False
        self._take(delta, piece)
        if self._is_due():
            await self.save()

    def _take(self, delta: TextDelta | ReasoningDelta | ToolCallDelta, piece: str) -> None:
        self._frames.add(delta)
        self._size += size_of(piece)
        self._characters += len(piece)
        if self._size > self._limit:
            raise AnswerTooLarge(self._step, get_runs_settings().max_payload_bytes)

    def _is_due(self) -> bool:
        """Rarer as the text grows: each checkpoint holds all of it."""
        settings = get_settings()
        new = self._characters - self._saved_characters
        if new <= 0 or self._came["tool_call"]:
            return False
        is_old = clock.monotonic() - self._saved_at >= settings.checkpoint_seconds
        return new >= max(settings.checkpoint_characters, self._characters // 4) or (is_old and new > 0)

    async def save(self) -> None:
        """A checkpoint of what came; what it cost is told first, so that both survive a killed worker."""
        self.tell_estimate()
        self._saved_characters, self._saved_at = self._characters, clock.monotonic()
        await self._write(Saved(text=storable(self.text), reasoning=storable(self.reasoning), rejected=self._rejected))

    async def _write(self, state: Saved) -> None:
        await self._checkpoint(state.model_dump(exclude_defaults=True))

    async def save_cut(self) -> None:
        """Where the stream was cut, for the attempt that goes on; a tool call that was begun is asked for anew."""
        if self._came["tool_call"]:
            await self._write(Saved(rejected=self._rejected))
        elif self._characters > self._saved_characters:
            await self.save()

    async def save_rejected(self, text: str, problem: str) -> None:
        await self._write(Saved(rejected=Rejected(text=storable(text), problem=storable(problem))))

    def tell_estimate(self) -> None:
        """What came cost something, whatever becomes of it."""
        if not self.is_empty:
            answered = "".join(piece for pieces in self._came.values() for piece in pieces)
            self._tally.tell(estimate(self._request, answered))


def messages_after(rejected: Rejected) -> list[dict[str, Any]]:
    """What the model is told of its answer that did not fit."""
    problem = f"Your answer does not fit: {rejected.problem}. Answer again, with nothing but the corrected JSON object."
    return [{"role": "assistant", "content": rejected.text}, {"role": "user", "content": problem}]
