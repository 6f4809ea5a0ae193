"""A question as a page shows it: its parts, and what the one who looks at it may do."""

from dataclasses import dataclass
from typing import Any

from hitl import people
from hitl.asking import GROUP, shown_answers
from hitl.models import Kind, Question
from perdure.dashboard.answer_form import AnswerForm

MAX_CONTEXT_LINES = 5000
MAX_TABLE_ROWS = 500
_LOOKS = {"open": "waiting", "answered": "completed", "expired": "failed", "withdrawn": "cancelled"}
_LABELS = {
    "approve": "Approve",
    "deny": "Deny",
    "submit": "Submit",
    "choose": "Choose",
}


@dataclass(frozen=True)
class DiffLine:
    """A line of a unified diff and how it looks: add, remove, place or same."""

    look: str
    text: str


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
    diff: list[DiffLine]
    columns: list[str]
    table: list[list[Any]]
    rest: Any

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


def read_question_page(question: Question, user: Any, form: AnswerForm | None = None) -> QuestionPage:
    """`form` is one that was sent and refused; else a fresh one."""
    status = question.shown_status
    why_not = people.why_not(question, user)
    answers = shown_answers(question)
    if not why_not and any(one["by"] == user.get_username() for one in answers):
        why_not = "you have answered it"
    may = status == "open" and not why_not
    diff, columns, table, rest = _parts(question)
    return QuestionPage(
        question=question, status=status, look=_LOOKS[status], why_not=why_not, diff=diff, columns=columns,
        table=table, rest=rest, form=(form or AnswerForm(question)) if may else None, answers=answers, to=_to(question),
    )  # fmt: skip


def _to(question: Question) -> list[str]:
    people_named = sorted(person.get_username() for person in question.people.all())
    named = people_named + sorted(GROUP + group.name for group in question.groups.all())
    return named or (["the team " + question.run.team.name] if question.run.team else ["administrators"])


def _parts(question: Question) -> tuple[list[DiffLine], list[str], list[list[Any]], Any]:
    context = question.context
    if question.kind == Kind.TOOL_CALL and isinstance(context, dict):
        # its arguments stand in the form, or are JSON for who only looks
        return [], [], [], context
    if isinstance(context, dict) and isinstance(context.get("diff"), str):
        rest = {name: value for name, value in context.items() if name != "diff"}
        return diff_lines(context["diff"]), [], [], rest or None
    if isinstance(context, list) and _is_table(context):
        columns = list(dict.fromkeys(name for row in context for name in row))
        return [], columns, [[row.get(name, "") for name in columns] for row in context], None
    return [], [], [], context


def _is_table(context: list[Any]) -> bool:
    return (
        0 < len(context) <= MAX_TABLE_ROWS
        and all(isinstance(row, dict) and row for row in context)
        and not any(isinstance(value, dict | list) for row in context for value in row.values())
    )


def diff_lines(text: str) -> list[DiffLine]:
    """The lines of a unified diff, each with its look."""
    lines = text.splitlines()
    shown = [DiffLine(_look(line), line) for line in lines[:MAX_CONTEXT_LINES]]
    left = len(lines) - len(shown)
    return [*shown, DiffLine("place", f"{left} more lines: read them over REST")] if left else shown


def _look(line: str) -> str:
    if line.startswith(("+++", "---", "@@", "diff ", "index ")):
        return "place"
    return "add" if line.startswith("+") else "remove" if line.startswith("-") else "same"
