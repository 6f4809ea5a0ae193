"""What people do to a question. Each is one transaction: answer, audit row, the run's event and its signal."""

import json
from collections import Counter
from typing import Any
from uuid import UUID

import jsonpatch
from django.contrib.auth import get_user_model
from django.db import transaction

from hitl import asking, limits, people, schemas
from hitl.asking import close, lock, refuse_closed, shown_answers
from hitl.errors import AlreadyAnswered, InvalidAnswer, MayNotAnswer, MayNotWithdraw, QuestionChanged, QuestionNotFound
from hitl.models import About, Answer, Comment, Kind, Question, QuestionStatus
from hitl.notify import outbox
from runs import clock
from runs.conf import get_settings
from runs.errors import PayloadTooLarge
from runs.events.types import EventDraft, EventType
from runs.jobs import Actor, may_change, record, signal

MAX_TEXT = 10_000


def answer(
    question_id: UUID | str,
    user: Any,
    decision: str,
    value: Any = None,
    comment: str = "",
    *,
    digest: str,
    idempotency_key: str | None = None,
    actor: Actor | None = None,
) -> Question:
    """Decide. The answer that completes the quorum closes the question and lets its run go on.

    `digest` is that of the question as it was shown. The same `idempotency_key` of the same person changes nothing.
    Raises QuestionNotFound, MayNotAnswer, QuestionClosed (naming who decided), AlreadyAnswered, QuestionChanged,
    InvalidAnswer, PayloadTooLarge; then nothing is written.
    """
    actor = actor or Actor.of(user)
    with transaction.atomic():
        question = _locked(question_id, user)
        _refuse_strangers(question, user)
        if idempotency_key is not None and _is_repeated(question, user, idempotency_key, decision, value):
            return question
        refuse_closed(question)
        if digest != question.digest:
            raise QuestionChanged(question.id, question.digest)
        if question.answers.filter(by=user, digest=question.digest).exists():
            raise AlreadyAnswered(question.id, user.get_username())
        _check(question, decision, value, comment)
        made = _insert(question, user, decision, value, comment, idempotency_key)
        _tell(question, made, actor)
        _close_with_quorum(question, actor)
    return question


def comment(question_id: UUID | str, user: Any, text: str, *, actor: Actor | None = None) -> Comment:
    """Say something without deciding. Raises QuestionNotFound, QuestionClosed, InvalidAnswer."""
    actor = actor or Actor.of(user)
    _check_text("text", text)
    if not text.strip():
        raise InvalidAnswer.of("text", "is empty")
    with transaction.atomic():
        question = _locked(question_id, user)
        refuse_closed(question)
        made = Comment.objects.create(
            question=question, by=user, by_name=user.get_username(), text=text, at=clock.now()
        )
        data = {"question": str(question.id), "text": text, "actor": actor.as_data()}
        record(question.run_id, EventDraft(EventType.QUESTION_COMMENT, data, question.step), actor)
    return made


def delegate(question_id: UUID | str, user: Any, to: str, *, actor: Actor | None = None) -> Question:
    """Let another person answer instead of `user`, who does not answer it any more unless it is delegated back.

    Raises QuestionNotFound, MayNotAnswer, QuestionClosed, InvalidAnswer (nobody of that name may take it).
    """
    actor = actor or Actor.of(user)
    with transaction.atomic():
        question = _locked(question_id, user)
        _refuse_strangers(question, user)
        refuse_closed(question)
        if question.answers.filter(by=user, digest=question.digest).exists():
            raise AlreadyAnswered(question.id, user.get_username())
        other = _delegate(question, to)
        people.keep_team(question)
        question.people.remove(user)
        question.people.add(other)
        # a group or the rights of an administrator would let both of them count towards the quorum
        question.delegated_by.add(user)
        question.delegated_by.remove(other)
        data = {"question": str(question.id), "to": other.get_username()}
        event = EventDraft(EventType.QUESTION_DELEGATE, data | {"actor": actor.as_data()}, question.step)
        record(question.run_id, event, actor, action="question.delegate", data=data)
        outbox.tell(
            question, About.DELEGATED, people.who_may_answer(question).filter(pk=other.pk), by=user.get_username()
        )
    return question


def withdraw(question_id: UUID | str, user: Any, reason: str = "", *, actor: Actor | None = None) -> Question:
    """Take a question back: `ask` raises QuestionWithdrawn in its run. Who may cancel the run may do this.

    Raises QuestionNotFound, MayNotWithdraw, QuestionClosed, InvalidAnswer.
    """
    _check_text("reason", reason)
    with transaction.atomic():
        question = _locked(question_id, user)
        if not may_change(user, question.run):
            raise MayNotWithdraw(question.id)
        return asking.withdraw(question.id, actor=actor or Actor.of(user), reason=reason)


def _locked(question_id: UUID | str, user: Any) -> Question:
    """Raises QuestionNotFound alike for a question that is not there and one that `user` does not see."""
    found = people.as_uuid(question_id)
    if not people.visible_questions(user).filter(id=found).exists():
        raise QuestionNotFound(question_id)
    return lock(found)


def _refuse_strangers(question: Question, user: Any) -> None:
    if why := people.why_not(question, user):
        raise MayNotAnswer(question.id, why)


def _is_repeated(question: Question, user: Any, key: str, decision: str, value: Any) -> bool:
    found = question.answers.filter(by=user, idempotency_key=key).first()
    if found is None:
        return False
    if (found.decision, found.value) != (decision, value):
        raise InvalidAnswer.of("idempotency_key", "was used for another answer")
    return True


def _check(question: Question, decision: str, value: Any, comment: str) -> None:
    if decision not in question.decisions:
        raise InvalidAnswer.of("decision", f"must be one of: {', '.join(question.decisions)}")
    _check_text("comment", comment)
    if decision == "deny" and value is not None:
        raise InvalidAnswer.of("value", "goes with no denial; leave it out")
    if question.kind == Kind.APPROVAL and value is not None:
        raise InvalidAnswer.of("value", "is not asked for; leave it out")
    if question.kind == Kind.CHOICE and not schemas.is_one_of(value, question.choices):
        raise InvalidAnswer.of("value", "is none of the choices")
    if question.kind == Kind.TOOL_CALL and value is not None and not isinstance(value, dict):
        raise InvalidAnswer.of("value", "must be the arguments as an object")
    if question.schema is not None and (value is not None or question.kind == Kind.INPUT):
        schemas.check_value(question.schema, value)
    size, limit = len(json.dumps(value).encode()), get_settings().max_payload_bytes
    if size > limit:
        raise PayloadTooLarge("The answer's value", size, limit)


def _check_text(field: str, text: str) -> None:
    if len(text) > MAX_TEXT or "\0" in text:
        raise InvalidAnswer.of(field, f"is longer than {MAX_TEXT} characters or holds a NUL character")


def _insert(
    question: Question, user: Any, decision: str, value: Any, comment: str, idempotency_key: str | None
) -> Answer:
    changes: list[Any] = []
    if question.kind == Kind.TOOL_CALL and value is not None:
        shown = (question.context or {}).get("arguments", {})
        changes = jsonpatch.make_patch(shown, value).patch
    return Answer.objects.create(
        question=question, by=user, by_name=user.get_username(), decision=decision, value=value, changes=changes,
        comment=comment, digest=question.digest, idempotency_key=idempotency_key, at=clock.now(),
    )  # fmt: skip


def _tell(question: Question, made: Answer, actor: Actor) -> None:
    shown = {"question": str(question.id), "decision": made.decision, "comment": made.comment}
    event = EventDraft(EventType.QUESTION_ANSWER, shown | {"actor": actor.as_data()}, question.step)
    noted = shown | {"value": made.value, "changes": made.changes, "digest": made.digest, "title": question.title}
    record(question.run_id, event, actor, action="question.answer", data=noted)


def _close_with_quorum(question: Question, actor: Actor) -> None:
    answers = shown_answers(question)
    if len(answers) < question.quorum:
        return
    close(question, QuestionStatus.ANSWERED, _decided(question, answers) | {"answers": answers})
    limits.decided(question, actor)
    signal(question.run_id, question.signal, actor=actor)


def _decided(question: Question, answers: list[dict[str, Any]]) -> dict[str, Any]:
    """All must approve; of choices the most named, the first of those; else the last value that was given."""
    if any(one["decision"] == "deny" for one in answers):
        return {"decision": "deny", "value": None}
    values = [one["value"] for one in answers if one["value"] is not None]
    decision = answers[-1]["decision"]
    if question.kind == Kind.CHOICE:
        texts = [json.dumps(one["value"], sort_keys=True) for one in answers]
        return {"decision": decision, "value": json.loads(Counter(texts).most_common(1)[0][0])}
    return {"decision": decision, "value": values[-1] if values else None}


def _delegate(question: Question, to: str) -> Any:
    model = get_user_model()
    other = model._default_manager.filter(**{model.USERNAME_FIELD: to, "is_active": True}).first()
    if other is None:
        raise InvalidAnswer.of("to", "is nobody who can sign in")
    if other.pk == question.run.owner_id and not question.starter_may_answer:
        raise InvalidAnswer.of("to", "started the run and does not decide it")
    return other
