"""A question as a page shows it: its parts, and what the one who looks at it may do."""

from dataclasses import dataclass
from typing import Any

from hitl import people
from hitl.asking import GROUP, shown_answers
from hitl.models import Kind, Question
from perdure.dashboard.inbox import next_steps
from perdure.dashboard.inbox.answer_form import AnswerForm
from perdure.dashboard.inbox.question_context import ShownContext, read_context, read_tool_call

_LOOKS = {"open": "waiting", "answered": "completed", "expired": "failed", "withdrawn": "cancelled"}
_LABELS = {
    "approve": "Approve",
    "deny": "Deny",
    "submit": "Submit",
    "choose": "Choose",
}

_ASKS = {
    Kind.APPROVAL: "Its run waits for you: approve or deny it below.",
    Kind.INPUT: "Its run waits for you: fill in the form below.",
    Kind.CHOICE: "Its run waits for you: choose below.",
    Kind.TOOL_CALL: "A model wants to call a tool: approve or deny it below.",
    Kind.LIMIT: "Its run has reached a limit: approve or deny more below.",
}


@dataclass(frozen=True)
class QuestionPage:
    """One question and its form, if the one who looks may answer."""

    question: Question
    status: str
    look: str
    why_not: str
    form: AnswerForm | None
    answers: list[dict[str, Any]]
    to: list[str]
    context: ShownContext

    @property
    def is_open(self) -> bool:
        return self.status == "open"

    @property
    def label(self) -> str:
        return self.status.capitalize()

    @property
    def buttons(self) -> list[tuple[str, str]]:
        return [(decision, _LABELS[decision]) for decision in self.question.decisions]

    @property
    def missing(self) -> int:
        return max(0, self.question.quorum - len(self.answers))

    @property
    def asks(self) -> str:
        """What is wanted of who may answer."""
        return _ASKS[Kind(self.question.kind)]

    @property
    def what_follows(self) -> str:
        """For who may answer what that does; for others where it stands."""
        say = next_steps.on_answer if self.form else next_steps.now
        return say(self.question, self.missing)


def read_question_page(question: Question, user: Any, form: AnswerForm | None = None) -> QuestionPage:
    """`form` is one that was sent and refused; else a fresh one."""
    status = question.shown_status
    why_not = people.why_not(question, user)
    answers = shown_answers(question)
    if not why_not and any(one["by"] == user.get_username() for one in answers):
        why_not = "you have answered it"
    may = status == "open" and not why_not
    read = read_tool_call if question.kind == Kind.TOOL_CALL else read_context
    return QuestionPage(
        question=question, status=status, look=_LOOKS[status], why_not=why_not,
        form=(form or AnswerForm(question)) if may else None, answers=answers, to=put_to(question),
        context=read(question.context),
    )  # fmt: skip


def put_to(question: Question) -> list[str]:
    people_named = sorted(person.get_username() for person in question.people.all())
    named = people_named + sorted(GROUP + group.name for group in question.groups.all())
    return named or (["the team " + question.run.team.name] if question.run.team else ["administrators"])
