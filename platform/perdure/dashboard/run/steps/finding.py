"""Which steps of a run the Steps tab shows: by words of the name, by status, and those that were tried again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import HttpRequest

from perdure.dashboard.paging import read_text
from perdure.dashboard.run.rows import shown_status
from runs.models import Step, StepStatus

STATUSES = (StepStatus.RUNNING, "waiting", StepStatus.RETRYING, StepStatus.FAILED, StepStatus.STOPPED,
            StepStatus.CANCELLED, StepStatus.SKIPPED, StepStatus.COMPLETED)  # fmt: skip
"""As they are shown, in the order of the chips: what may need somebody comes first."""


@dataclass(frozen=True)
class Chip:
    """One status with how many steps have it, and the address that shows them alone."""

    status: str
    count: int
    href: str
    is_current: bool


@dataclass(frozen=True)
class Wanted:
    """What the address asks for: `?q=`, `?status=`, `?retried=yes`."""

    words: str = ""
    status: str = ""
    retried: bool = False

    @classmethod
    def of(cls, request: HttpRequest) -> "Wanted":
        """Raises BadRequest for a status that no step has."""
        status = read_text(request.GET, "status")
        if status and status not in STATUSES:
            raise BadRequest(f"No step has the status {status[:40]!r}. Use the buttons above the steps.")
        return cls(read_text(request.GET, "q").strip(), status, read_text(request.GET, "retried") == "yes")

    def find(self, steps: Sequence[Step]) -> list[Step]:
        """In their order."""
        words = self.words.casefold().split()
        return [
            step
            for step in steps
            if self.status in ("", shown_status(step))
            and (step.attempts > 1 or not self.retried)
            and all(word in step.name.casefold() for word in words)
        ]

    def chips(self, steps: Sequence[Step]) -> list[Chip]:
        """Of the statuses that occur, after one for all."""
        counts = Counter(shown_status(step) for step in steps)
        found = [Chip("", len(steps), self._href(""), not self.status)]
        return found + [
            Chip(status, counts[status], self._href(status), self.status == status)
            for status in map(str, STATUSES)
            if counts[status] or self.status == status
        ]

    @property
    def address(self) -> str:
        """The query of this, without a page."""
        return self._href(self.status)

    @property
    def is_any(self) -> bool:
        return not (self.words or self.status or self.retried)

    def _href(self, status: str) -> str:
        parts = {"q": self.words, "status": status, "retried": "yes" if self.retried else ""}
        return "?" + urlencode({name: value for name, value in parts.items() if value})
