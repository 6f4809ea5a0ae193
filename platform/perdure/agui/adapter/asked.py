"""The questions of a run that are open, from its log."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ag_ui.core import Interrupt

DIGEST_CHARS = 12
_REASONS = {"tool_call": "tool_call", "input": "input_required", "approval": "confirmation"}


def reason_of(kind: str) -> str:
    """The protocol's reason for a question of this kind."""
    return _REASONS.get(kind, f"perdure:{kind}")


@dataclass(slots=True)
class OpenQuestion:
    id: str
    tool_call_id: str | None
    asked: dict[str, Any]
    answers: int = 0

    @property
    def quorum(self) -> int:
        return int(self.asked.get("quorum") or 1)

    def as_interrupt(self) -> Interrupt:
        """As far as the log tells it, for a question whose row is gone."""
        return Interrupt(
            id=f"{self.id}.{str(self.asked.get('digest'))[:DIGEST_CHARS]}",
            reason=reason_of(str(self.asked.get("kind"))),
            message=str(self.asked.get("title") or "") or None, tool_call_id=self.tool_call_id,
        )  # fmt: skip


class OpenQuestions:
    def __init__(self) -> None:
        self._open: dict[str, OpenQuestion] = {}

    def ask(self, data: dict[str, Any], tool_call_id: str | None) -> None:
        """Also one that was revised: what was answered before counts no more."""
        question = str(data.get("question"))
        self._open[question] = OpenQuestion(question, tool_call_id, data)

    def answer(self, data: dict[str, Any]) -> None:
        if question := self._open.get(str(data.get("question"))):
            question.answers += 1
            if question.answers >= question.quorum:
                del self._open[question.id]

    def close(self, data: dict[str, Any]) -> None:
        self._open.pop(str(data.get("question")), None)

    def close_all(self) -> None:
        self._open.clear()

    def __iter__(self) -> Iterator[OpenQuestion]:
        return iter(list(self._open.values()))

    def __bool__(self) -> bool:
        return bool(self._open)
