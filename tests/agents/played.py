"""Runs of flows in tests: started, answered by people, and told as they went."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model

from flows.agents.spec import Flow
from flows.agents.starting import start
from hitl import asking
from hitl.answers import answer
from hitl.models import Question, QuestionStatus
from runs import jobs
from runs.models import Run
from runs.testing import drain


def person() -> Any:
    """Who starts runs here, and answers their questions."""
    return get_user_model().objects.get_or_create(username="flora", is_superuser=True)[0]


def begun(flow: str | Flow, scenario: list[dict[str, Any]] | None = None, **given: Any) -> Run:
    return start(flow, given.pop("task", "Count the books."), scenario=scenario, owner=person(), **given).run


def ended(run: Run, answers: Sequence[Any] = ()) -> Run:
    """Answered in order: with a decision, or with a value and the decision to approve. What is left is withdrawn."""
    left = list(answers)
    drain()
    while answer_next(run, left):
        drain()
    found = jobs.get(run.id)
    assert found.has_ended, (found.status, found.reason)
    assert not left
    return found


def answer_next(run: Run, left: list[Any]) -> bool:
    """Whether the run had a question, which has the first of these answers now, or is withdrawn without any."""
    question = Question.objects.filter(run=run, status=QuestionStatus.OPEN).first()
    if question is None:
        return False
    if not left:
        asking.withdraw(question.id)
    elif isinstance(left[0], str):
        answer(question.id, person(), left.pop(0), digest=question.digest)
    else:
        decision = "approve" if question.kind == "limit" else "submit"
        answer(question.id, person(), decision, value=left.pop(0), digest=question.digest)
    return True


def told(run: Run) -> dict[str, Any]:
    """What the query `flow` tells."""
    return dict(jobs.query(run.id, "flow"))


def matched(run: Run) -> list[tuple[str, str | None, str]]:
    return [(one["step"], one["condition"], one["method"]) for one in told(run)["matched"]]
