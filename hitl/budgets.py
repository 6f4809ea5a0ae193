"""Asks people for more when a budget is spent: registered with the engine, which knows no questions."""

from uuid import UUID

from django.db.models import QuerySet

from hitl import limits
from hitl.asking import Draft, close, open_question, write
from hitl.models import Kind, Question, QuestionStatus
from runs.budgets import LimitReached
from runs.events.types import EventType
from runs.jobs import SYSTEM, get, signal

_STEP = "budget: "


class BudgetAsker:
    """`runs.budgets.Asker`."""

    def hold(self, budget_of: UUID) -> None:
        """In one order: an answer locks them as well."""
        list(_open(budget_of).select_for_update(of=("self",)).order_by("id"))

    def ask(self, reached: LimitReached) -> None:
        """One question for the whole tree, of the run whose budget it is; its team answers, as always."""
        owner = get(reached.run_id).owner
        draft = Draft(
            title=limits.title_of(reached), kind=Kind.LIMIT, body=limits.body_of(reached),
            schema=limits.schema_of(reached), context=limits.context_of(reached), budget_of=reached.budget_of,
            # an administrator may grant anything, and would be alone on a machine of their own
            starter_may_answer=reached.starter_may_grant or bool(owner is not None and owner.is_superuser),
        )  # fmt: skip
        before = Question.objects.filter(run_id=reached.run_id, step__startswith=_STEP).count()
        open_question(reached.run_id, f"{_STEP}{reached.name} #{before + 1}", draft)

    def withdraw(self, budget_of: UUID, reason: str) -> None:
        for question in _open(budget_of).select_related("run").order_by("id"):
            close(question, QuestionStatus.WITHDRAWN, {"withdrawn": reason})
            if not question.run.has_ended:
                write(question, EventType.QUESTION_WITHDRAW, SYSTEM, action="question.withdraw", reason=reason)
                signal(question.run_id, question.signal, actor=SYSTEM)


def _open(budget_of: UUID) -> QuerySet[Question]:
    return Question.objects.filter(budget_of=budget_of, status=QuestionStatus.OPEN)
