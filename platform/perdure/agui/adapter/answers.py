"""The answers of a run that are still coming, one for each streaming step that has said something."""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from perdure.agui.adapter.outlet import Outlet
from perdure.agui.adapter.streamed import Place, StreamedAnswer
from runs.events.types import RunEvent

AT_ONCE: Final = 32
"""Answers that are told piece by piece at the same time; others come whole at their end. Each mark names all of them,
and goes with each event; clients send one back in a header."""


class ComingAnswers:
    """The newest attempt of each step; an older one is discarded, and one that has ended is not heard any more."""

    def __init__(self, run: UUID, outlet: Outlet) -> None:
        self._run, self._outlet = run, outlet
        self._answers: dict[str, StreamedAnswer] = {}
        self._ended: dict[str, int] = {}
        self.emptied: dict[str, None] = {}
        """Ids of the reasoning that was discarded, until a snapshot told so."""
        self.was_discarded = False
        """The client was told something that is void, until a snapshot told so."""

    def __iter__(self) -> Iterator[StreamedAnswer]:
        return iter(self._answers.values())

    def __contains__(self, step: str) -> bool:
        return step in self._answers

    def of_frame(self, event: RunEvent) -> StreamedAnswer | None:
        """That of the frame's attempt; None for one that has ended, was overtaken or is too many."""
        step, place = str(event.step), Place(event.epoch or 0, event.attempt or 1)
        if self.has_ended(step, place.attempt):
            return None
        answer = self._answers.get(step)
        if answer is not None and answer.place < place:
            self.discard(step)
            answer = None
        if answer is None:
            if len(self._answers) >= AT_ONCE:
                return None
            answer = self._answers[step] = StreamedAnswer(self._run, step, place, self._outlet)
        return answer if answer.place == place else None

    def of_end(self, step: str, attempt: int | None) -> StreamedAnswer | None:
        """That of an attempt that is complete, which is no more of those that are coming; None if it had ended."""
        answer = self._answers.get(step)
        attempt = attempt or (answer.place.attempt if answer else 1)
        if self.has_ended(step, attempt):
            return None
        if answer is None or answer.place.attempt != attempt:
            self.discard(step)
            return StreamedAnswer(self._run, step, Place(0, attempt), self._outlet)
        return self._answers.pop(step)

    def begin(self, step: str, attempt: int) -> None:
        """An attempt begins: what an earlier one said is void."""
        answer = self._answers.get(step)
        if answer is not None and answer.place.attempt < attempt:
            self.discard(step)

    def discard(self, step: str) -> None:
        if answer := self._answers.pop(step, None):
            self.withdraw(answer)

    def withdraw(self, answer: StreamedAnswer) -> None:
        """What it said counts no more."""
        answer.close()
        self.was_discarded |= answer.was_told
        if answer.reasoning.was_told:
            self.emptied[answer.reasoning_id] = None

    def discard_all(self) -> None:
        for step in list(self._answers):
            self.discard(step)

    def note_end(self, step: str, attempt: int | None) -> None:
        self._ended[step] = max(self._ended.get(step, 0), attempt or 0)

    def has_ended(self, step: str, attempt: int) -> bool:
        return attempt <= self._ended.get(step, 0)

    def adopt(self, answers: Sequence[StreamedAnswer]) -> None:
        """What a restored client has of them."""
        self._answers = {one.step: one for one in answers}
