"""Answers to interrupts: what a client sends in `resume` decides the run's questions, as an answer in the inbox does.

Nothing that a client says of a question is believed: its id is looked up among those of the thread's own runs.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ag_ui.core import ResumeEntry
from django.db.models import F

from hitl.answers import answer, withdraw
from hitl.asking import lock
from hitl.errors import InvalidAnswer, QuestionNotFound
from hitl.models import Kind, Question, QuestionStatus
from hitl.people import visible_questions
from perdure.agui.adapter.asked import DIGEST_CHARS
from perdure.agui.errors import (
    InterruptAnswered,
    InterruptChanged,
    InterruptExpired,
    InvalidInput,
    InvalidInterruptId,
)
from perdure.agui.models import Thread, Turn
from runs import clock
from runs.jobs import Actor

CANCELLED = "Cancelled by user."


@dataclass(frozen=True)
class Resumed:
    """The turn that the answers were for; `will_go_on` where it does by itself: a deadline has come."""

    turn: Turn
    will_go_on: bool = False


@dataclass(frozen=True)
class _Said:
    """What an entry says, in the words of questions. Without a decision it takes the question back."""

    decision: str
    value: Any = None
    comment: str = ""


def answer_interrupts(user: Any, thread: Thread, entries: Sequence[ResumeEntry], actor: Actor) -> Resumed:
    """Give all the answers, or none, in the caller's transaction, which holds the thread.

    An answer that was given before, by anybody, is taken again; another one is refused. Raises InvalidInterruptId,
    InterruptExpired, InterruptAnswered, InterruptChanged, InvalidInput, and what `hitl.answers` raises.
    """
    ids = [entry.interrupt_id for entry in entries]
    if len(set(ids)) < len(ids):
        raise InvalidInput.of("resume", "answers an interrupt twice")
    turns = {entry.interrupt_id: _turn_of(user, thread, entry.interrupt_id) for entry in entries}
    turn = turns[ids[0]]
    for interrupt_id, other in turns.items():
        if other.pk != turn.pk:
            raise InvalidInterruptId(interrupt_id)
    _hold(ids)
    in_order = sorted(enumerate(entries), key=lambda one: one[1].interrupt_id)
    passed = [_answer(user, entry, f"resume.{place}", actor) for place, entry in in_order]
    return Resumed(turn, any(passed))


def _hold(interrupt_ids: Sequence[str]) -> None:
    """All the questions, in one order everywhere, before the first answer holds the run: in the inbox somebody may
    hold one of them and wait for the run. What is asked about a budget comes first, since its budget is held too."""
    wanted = Question.objects.filter(id__in=[one.partition(".")[0] for one in interrupt_ids])
    for question_id in wanted.order_by(F("budget_of").asc(nulls_last=True), "id").values_list("id", flat=True):
        with suppress(QuestionNotFound):  # deleted at this moment: its answer says so
            lock(question_id)


def _turn_of(user: Any, thread: Thread, interrupt_id: str) -> Turn:
    question_id, _, digest = interrupt_id.partition(".")
    try:
        asked = visible_questions(user).filter(id=UUID(question_id))
    except ValueError as exc:
        raise InvalidInterruptId(interrupt_id) from exc
    if str(UUID(question_id)) != question_id or len(digest) != DIGEST_CHARS:
        raise InvalidInterruptId(interrupt_id)
    turn = Turn.objects.select_related("run", "thread").filter(thread=thread, run__in=asked.values("run")).first()
    if turn is None:
        raise InvalidInterruptId(interrupt_id)
    return turn


def _answer(user: Any, entry: ResumeEntry, where: str, actor: Actor) -> bool:
    """Decide one question; True where nothing was to be decided because its deadline has come."""
    question_id, _, digest = entry.interrupt_id.partition(".")
    try:
        question = lock(question_id)
    except QuestionNotFound as exc:
        raise InvalidInterruptId(entry.interrupt_id) from exc
    if not question.digest.startswith(digest):
        raise InterruptChanged(entry.interrupt_id)
    if _has_expired(question):
        if entry.status != "cancelled":
            raise InterruptExpired(entry.interrupt_id)
        return True
    said = _said(question, entry, where)
    if _is_repeated(question, user, said) or _is_let_go(question, entry):
        return False
    if question.shown_status != QuestionStatus.OPEN:
        by = [str(one["by"]) for one in (question.outcome or {}).get("answers", [])]
        raise InterruptAnswered(entry.interrupt_id, question.shown_status, by)
    _decide(question, user, said, where, actor)
    return False


def _has_expired(question: Question) -> bool:
    is_late = question.deadline is not None and clock.now() >= question.deadline
    return question.status == QuestionStatus.EXPIRED or (question.status == QuestionStatus.OPEN and is_late)


def _is_repeated(question: Question, user: Any, said: _Said) -> bool:
    """The same answer is one answer, whoever gave it first and at which door."""
    if question.status == QuestionStatus.ANSWERED:
        outcome = question.outcome or {}
        return (outcome.get("decision"), outcome.get("value")) == (said.decision, said.value)
    mine = question.answers.filter(by=user, digest=question.digest).first()
    return mine is not None and (mine.decision, mine.value) == (said.decision, said.value)


def _is_let_go(question: Question, entry: ResumeEntry) -> bool:
    """Taken back already, as by the end of its run: who was interrupted can say nothing more before this is said."""
    return question.shown_status == QuestionStatus.WITHDRAWN and entry.status == "cancelled"


def _decide(question: Question, user: Any, said: _Said, where: str, actor: Actor) -> None:
    if not said.decision:
        withdraw(question.id, user, said.comment, actor=actor)
        return
    try:
        answer(question.id, user, said.decision, said.value, said.comment, digest=question.digest, actor=actor)
    except InvalidAnswer as exc:
        raise InvalidInput([_renamed(field, question, where) for field in exc.fields]) from exc


def _said(question: Question, entry: ResumeEntry, where: str) -> _Said:
    yes_or_no = question.kind in (Kind.APPROVAL, Kind.TOOL_CALL, Kind.LIMIT)
    if entry.status == "cancelled":
        return _Said("deny" if yes_or_no else "", comment=CANCELLED)
    if not yes_or_no:
        return _Said("submit" if question.kind == Kind.INPUT else "choose", entry.payload)
    payload = entry.payload
    if not isinstance(payload, dict) or not isinstance(payload.get("approved"), bool):
        raise InvalidInput.of(f"{where}.payload.approved", "must be true or false")
    reason = payload.get("reason")
    if reason is not None and not isinstance(reason, str):
        raise InvalidInput.of(f"{where}.payload.reason", "must be a text")
    if not payload["approved"]:
        return _Said("deny", comment=reason or "")
    return _Said("approve", payload.get(_value_field(question)), reason or "")


def _value_field(question: Question) -> str:
    """What of the payload of an approval is its value; nothing, for a plain one."""
    return {Kind.TOOL_CALL: "editedArgs", Kind.LIMIT: "value"}.get(Kind(question.kind), "")


def _renamed(field: dict[str, str], question: Question, where: str) -> dict[str, str]:
    """The question's `value` is called otherwise in a payload."""
    name = _value_field(question)
    path = field["field"].removeprefix("value")
    if field["field"] == "comment":
        path, name = "", "reason"
    return {"field": f"{where}.payload" + (f".{name}" if name else "") + path, "message": field["message"]}
