"""What of an inbox is shown: its kinds and jobs, as the address names them."""

from collections import Counter
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from django.db.models import Count, QuerySet
from django.http import QueryDict

from hitl.models import Kind, Question
from perdure.dashboard.paging import read_text

KINDS = {
    Kind.APPROVAL: "Approvals", Kind.TOOL_CALL: "Tool calls", Kind.INPUT: "Inputs", Kind.CHOICE: "Choices",
    Kind.LIMIT: "Limits",
}  # fmt: skip

MOST_JOBS = 200


@dataclass(frozen=True)
class Chip:
    label: str
    count: int
    query: str
    current: bool


@dataclass(frozen=True)
class InboxFilter:
    """`kind` and `job` as asked for; empty ones and unknown kinds take everything."""

    kind: str = ""
    job: str = ""
    shows_closed: bool = False

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        """Raises BadRequest for a text that no database takes."""
        kind = read_text(query, "kind")
        return cls(kind if kind in KINDS else "", read_text(query, "job"), query.get("show") == "closed")

    def apply(self, questions: QuerySet[Question]) -> QuerySet[Question]:
        if self.kind:
            questions = questions.filter(kind=self.kind)
        return questions.filter(run__job=self.job) if self.job else questions

    def query(self, **changed: str) -> str:
        """As in "?kind=approval", with some fields changed."""
        show = "closed" if self.shows_closed else ""
        fields = {"show": show, "kind": self.kind, "job": self.job} | changed
        return "?" + urlencode({name: value for name, value in fields.items() if value})

    @property
    def of_waiting(self) -> str:
        return self.query(show="")

    @property
    def of_closed(self) -> str:
        return self.query(show="closed")

    @property
    def is_narrow(self) -> bool:
        return bool(self.kind or self.job)

    def jobs(self, questions: QuerySet[Question]) -> list[str]:
        """Those to choose from; none where there is no choice."""
        found = set(questions.order_by().values_list("run__job", flat=True).distinct()[:MOST_JOBS])
        return sorted(found | ({self.job} - {""})) if len(found) > 1 or self.job else []

    def chips(self, questions: QuerySet[Question]) -> list[Chip]:
        """One for everything, and one for each kind that there is; none where there is one kind alone."""
        of_job = questions.filter(run__job=self.job) if self.job else questions
        counts = Counter(dict(of_job.order_by().values_list("kind").annotate(Count("pk"))))
        if len(counts) < 2 and not self.kind:
            return []
        kinds = [(str(kind), label) for kind, label in KINDS.items() if counts[kind] or kind == self.kind]
        return [
            Chip(label, counts[kind] if kind else counts.total(), self.query(kind=kind), self.kind == kind)
            for kind, label in [("", "All"), *kinds]
        ]
