"""What the doors of questions answer."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from hitl.asking import GROUP
from hitl.models import Comment, Decision, Kind, Question, QuestionStatus
from runs.api.shapes import Page, Shape


class AnswerShape(Shape):
    """What one person decided."""

    by: str = Field(description="User name.")
    decision: Decision
    value: Any
    changes: list[Any] = Field(description="RFC 6902: what was edited of a tool call's arguments.")
    comment: str
    at: datetime


class CommentShape(Shape):
    """What somebody said without deciding."""

    by: str = Field(description="User name.")
    text: str
    at: datetime

    @classmethod
    def of(cls, comment: Comment) -> dict[str, Any]:
        return cls(by=comment.by_name, text=comment.text, at=comment.at).as_json()


class OutcomeShape(Shape):
    """What was decided in the end."""

    decision: Decision | None = Field(description="Null where nothing was decided.")
    value: Any


class QuestionShape(Shape):
    """What a run asks people."""

    id: UUID
    run: UUID
    step: str
    kind: Kind
    title: str
    body: str = Field(description="Markdown.")
    schema_: dict[str, Any] | None = Field(alias="schema", description="JSON Schema 2020-12 of the value.")
    choices: list[Any]
    context: Any
    status: QuestionStatus
    to: list[str] = Field(description="User names and group:<name>; empty: the run's team.")
    quorum: int = Field(description="How many people's answers it takes.")
    starter_may_answer: bool
    answers: list[AnswerShape] = Field(description="Those to the question as it is now, in order.")
    outcome: OutcomeShape | None
    digest: str = Field(description="Of what is shown; an answer names it.")
    deadline: datetime | None
    reminded_at: datetime | None = Field(description="When those who had not answered were last reminded.")
    escalate_to: list[str] = Field(description="User names and group:<name> who may answer from escalate_at on.")
    escalate_at: datetime | None
    escalated_at: datetime | None
    created_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, question: Question) -> dict[str, Any]:
        """`question` as JSON; reads its run, people, groups and answers, so fetch them with it."""
        same = (
            *("id", "step", "kind", "title", "body", "choices", "context", "quorum", "starter_may_answer", "digest"),
            *("deadline", "reminded_at", "escalate_to", "escalate_at", "escalated_at", "created_at", "closed_at"),
        )
        people = [person.get_username() for person in question.people.all()]
        groups = [GROUP + group.name for group in question.groups.all()]
        answers = [
            AnswerShape(
                by=one.by_name, decision=Decision(one.decision), value=one.value, changes=one.changes,
                comment=one.comment, at=one.at,
            )
            for one in question.answers.all() if one.digest == question.digest
        ]  # fmt: skip
        outcome = question.outcome and {
            "decision": question.outcome.get("decision"),
            "value": question.outcome.get("value"),
        }
        values = {name: getattr(question, name) for name in same}
        return cls(
            **values, run=question.run_id, schema=question.schema, status=QuestionStatus(question.shown_status),
            to=sorted(people) + sorted(groups), answers=answers, outcome=outcome,
        ).model_dump(mode="json", by_alias=True)  # fmt: skip


class QuestionPage(Page[QuestionShape]):
    """A page of questions, newest first."""
