"""Questions that are closed, the last first, in pages whose cursor is a question."""

from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import BadRequest
from django.db.models import Q, QuerySet

from hitl.models import Question

PAGE_SIZE = 50


@dataclass(frozen=True)
class ClosedPage:
    """`older` is the cursor of the next page; empty on the last."""

    questions: list[Question]
    older: str


def read_closed(questions: QuerySet[Question], before: str) -> ClosedPage:
    """The page behind the question of that id. Raises BadRequest for what is no id of one of them."""
    rows = questions.order_by("-closed_at", "-id")
    if before:
        last = _cursor(questions, before)
        rows = rows.filter(Q(closed_at__lt=last.closed_at) | Q(closed_at=last.closed_at, id__lt=last.pk))
    found = list(rows.select_related("run")[: PAGE_SIZE + 1])
    return ClosedPage(found[:PAGE_SIZE], str(found[PAGE_SIZE - 1].pk) if len(found) > PAGE_SIZE else "")


def _cursor(questions: QuerySet[Question], before: str) -> Question:
    try:
        found = questions.filter(pk=UUID(before)).first()
    except ValueError:
        found = None
    if found is None:
        raise BadRequest("'before' is no closed question of yours. Open the closed questions and page on from there.")
    return found
