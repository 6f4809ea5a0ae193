"""The rows of questions: opened, replaced, expired, withdrawn. Each function belongs in one transaction."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from hitl import limits
from hitl.errors import InvalidQuestion, QuestionClosed, QuestionNotFound
from hitl.models import About, Question, QuestionStatus
from hitl.notify import outbox
from runs import clock
from runs.errors import RunWithoutBudget
from runs.events.types import EventDraft, EventType
from runs.jobs import Actor, hold_budget, record, signal

SYSTEM = Actor("system")
GROUP = "group:"
_SHOWN = ("title", "kind", "body", "schema", "choices", "context", "quorum")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A question before it is asked. `to` holds user names and `group:<name>`; times are in UTC."""

    title: str
    kind: str
    body: str = ""
    schema: dict[str, Any] | None = None
    choices: list[Any] = field(default_factory=list)
    context: Any = None
    to: tuple[str, ...] = ()
    quorum: int = 1
    starter_may_answer: bool = False
    deadline: datetime | None = None
    escalate_to: tuple[str, ...] = ()
    escalate_at: datetime | None = None
    budget_of: UUID | None = None


def open_question(run_id: UUID, step: str, draft: Draft) -> str:
    """Make the question's row and its event; its id as text. Raises InvalidQuestion for people who do not exist."""
    values = asdict(draft)
    people, groups = _addressees(draft.title, values.pop("to"))
    _addressees(draft.title, draft.escalate_to)
    question = Question(run_id=run_id, step=step, created_at=clock.now(), **values)
    question.digest = digest_of(question)
    question.save(force_insert=True)
    question.people.set(people)
    question.groups.set(groups)
    write(question, EventType.QUESTION_ASK, SYSTEM, to=list(draft.to), **_asked(question))
    outbox.tell(question, About.ASKED)
    return str(question.id)


def digest_of(question: Question) -> str:
    """SHA-256 of everything that people are shown before they decide."""
    shown = {name: getattr(question, name) for name in _SHOWN}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def revise(question_id: UUID | str, *, actor: Actor = SYSTEM, **changes: Any) -> Question:
    """Replace `title`, `body` or `context` of an open question; what was answered before counts no more.

    Raises QuestionNotFound, QuestionClosed.
    """
    if unknown := set(changes) - {"title", "body", "context"}:
        raise TypeError(f"{sorted(unknown)[0]!r} of a question cannot be replaced")
    with transaction.atomic():
        question = _lock_open(question_id)
        for name, value in changes.items():
            setattr(question, name, value)
        question.digest = digest_of(question)
        question.save()
        write(question, EventType.QUESTION_ASK, actor, action="question.revise", revised=True, **_asked(question))
        outbox.tell(question, About.REVISED)
    return question


def withdraw(question_id: UUID | str, *, actor: Actor = SYSTEM, reason: str = "") -> Question:
    """Take an open question back: `ask` raises QuestionWithdrawn in its run.

    Raises QuestionNotFound, QuestionClosed.
    """
    with transaction.atomic():
        question = _lock_open(question_id)
        close(question, QuestionStatus.WITHDRAWN, {"withdrawn": reason})
        limits.decided(question, actor)
        write(question, EventType.QUESTION_WITHDRAW, actor, action="question.withdraw", reason=reason)
        signal(question.run_id, question.signal, actor=actor)
    return question


def settle(question_id: str, outcome: dict[str, Any] | None, late: bool) -> dict[str, Any] | None:
    """What the question ended with; None while it is open.

    With `late` its deadline has come, and an open one ends with `outcome` (None: it failed); an answer that was
    quicker stands. The row decides, not the signal: whoever sees a run may send it signals of any name.
    """
    question = lock(question_id)
    if question.status == QuestionStatus.OPEN and late:
        ended = {"expired": True, "answers": shown_answers(question)} | (outcome or {})
        close(question, QuestionStatus.EXPIRED, ended)
        decision = (outcome or {}).get("decision")
        write(question, EventType.QUESTION_EXPIRE, SYSTEM, action="question.expire", decision=decision)
    return question.outcome if question.status != QuestionStatus.OPEN else None


def lock(question_id: UUID | str) -> Question:
    """The question, held until the transaction ends. Raises QuestionNotFound.

    What is asked about a budget is held together, and before it, as whoever grants more does.
    """
    budget_of = Question.objects.filter(id=question_id).values_list("budget_of", flat=True).first()
    if budget_of is not None:
        with suppress(RunWithoutBudget):
            hold_budget(budget_of)
    rows = Question.objects.select_for_update(of=("self",)).select_related("run")
    question = rows.filter(id=question_id).first()
    if question is None:
        raise QuestionNotFound(question_id)
    return question


def refuse_closed(question: Question) -> None:
    """Raises QuestionClosed unless it can still be answered."""
    status = question.shown_status
    if status == QuestionStatus.OPEN and question.deadline is not None and clock.now() >= question.deadline:
        status = QuestionStatus.EXPIRED
    if status != QuestionStatus.OPEN:
        raise QuestionClosed(question.id, status, [answer["by"] for answer in shown_answers(question)])


def close(question: Question, status: str, outcome: dict[str, Any]) -> None:
    """End it, and let those who were asked know."""
    question.status, question.outcome, question.closed_at = status, outcome, clock.now()
    question.save(update_fields=["status", "outcome", "closed_at"])
    outbox.tell_closed(question)


def shown_answers(question: Question) -> list[dict[str, Any]]:
    """The answers that count, in order: `[{"by", "decision", "value", "changes", "comment", "at"}]`."""
    return [
        {
            "by": answer.by_name, "decision": answer.decision, "value": answer.value, "changes": answer.changes,
            "comment": answer.comment, "at": answer.at.isoformat().replace("+00:00", "Z"),
        }
        for answer in question.answers.all() if answer.digest == question.digest
    ]  # fmt: skip


def _lock_open(question_id: UUID | str) -> Question:
    question = lock(question_id)
    refuse_closed(question)
    return question


def _asked(question: Question) -> dict[str, Any]:
    deadline = question.deadline.isoformat().replace("+00:00", "Z") if question.deadline else None
    return {
        "title": question.title, "kind": question.kind, "quorum": question.quorum, "deadline": deadline,
        "digest": question.digest,
    }  # fmt: skip


def write(question: Question, type_: EventType, actor: Actor, *, action: str = "", **data: Any) -> None:
    """An event of the question's run, and with `action` an Audit row, both with `data`."""
    shown = {"question": str(question.id), **data, "actor": actor.as_data()}
    noted = {"question": str(question.id), "digest": question.digest, **data}
    record(question.run_id, EventDraft(type_, shown, question.step), actor, action=action, data=noted)


def _addressees(title: str, to: Sequence[str]) -> tuple[list[Any], list[Group]]:
    people, groups = find_addressees(to)
    found = {person.get_username() for person in people} | {GROUP + group.name for group in groups}
    if missing := sorted(set(to) - found):
        raise InvalidQuestion(title, f"is put to {missing[0]!r}, who is not there", "Name users, or group:<name>.")
    return people, groups


def find_addressees(to: Sequence[str]) -> tuple[list[Any], list[Group]]:
    """The users and groups of these names; whoever is not there is left out."""
    names = [name for name in to if not name.startswith(GROUP)]
    group_names = [name.removeprefix(GROUP) for name in to if name.startswith(GROUP)]
    users = get_user_model()._default_manager
    people = users.filter(**{f"{get_user_model().USERNAME_FIELD}__in": names})
    return list(people), list(Group.objects.filter(name__in=group_names))
