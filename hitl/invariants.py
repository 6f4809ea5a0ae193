"""What must hold between a question and the run that asked it."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from hitl.models import Question, QuestionStatus
from runs.jobs import SYSTEM, signal
from runs.maintenance.invariants import Ids, Invariant, register
from runs.models import ENDED, Run, Signal

_TOLD = (QuestionStatus.ANSWERED, QuestionStatus.WITHDRAWN)
"""Ends that come from outside of the run; of an expired question the run itself was first to know."""

_AT_ONCE = 500


def register_invariants() -> None:
    register(
        Invariant(
            "answer_not_delivered",
            "A run under way has got the signal of each of its questions that was answered or withdrawn.",
            find_undelivered,
            deliver,
        )
    )


def find_undelivered(ids: Ids) -> Iterator[tuple[UUID, str, UUID]]:
    """`(run, "question", question)`: the answer and its signal are one transaction, so there is never one alone."""
    closed = Question.objects.filter(status__in=_TOLD).exclude(run__status__in=ENDED)
    if ids is not None:
        closed = closed.filter(run_id__in=ids)
    rows = closed.order_by("id").values_list("run_id", "id").iterator(chunk_size=_AT_ONCE)
    while some := list(islice(rows, _AT_ONCE)):
        sent = _sent(some)
        yield from ((run, "question", question) for run, question in some if (run, _name(question)) not in sent)


def deliver(run: Run) -> str:
    """Send what is missing; the run looks at the question's row, and not into the signal."""
    missing = [question for _, _, question in find_undelivered([run.id])]
    for question in missing:
        signal(run.id, _name(question), actor=SYSTEM)
    titles = ", ".join(Question.objects.filter(id__in=missing).order_by("id").values_list("title", flat=True))
    return f"Repaired: the run had not been told of the end of its question: {titles}."


def _sent(asked: Iterable[tuple[Any, UUID]]) -> set[tuple[Any, str]]:
    runs, names = zip(*((run, _name(question)) for run, question in asked), strict=True)
    return set(Signal.objects.filter(run_id__in=set(runs), name__in=names).values_list("run_id", "name"))


def _name(question: UUID) -> str:
    return Question(id=question).signal
