"""Reminders and escalation of an open question. Each function belongs in one transaction."""

from datetime import datetime, timedelta

from django.db.models import Q

from hitl import people
from hitl.asking import SYSTEM, find_addressees, lock, write
from hitl.models import About, Question, QuestionStatus
from hitl.notify import outbox
from runs import clock
from runs.events.types import EventType


def remind(question_id: str, every: timedelta) -> datetime:
    """Tell those who have not answered that the question waits; when to do so again."""
    question, now = lock(question_id), clock.now()
    if _is_open(question):
        question.reminded_at = now
        question.save(update_fields=["reminded_at"])
        write(question, EventType.QUESTION_REMIND, SYSTEM, action="question.remind")
        outbox.tell(question, About.REMINDED)
    return now + every


def escalate(question_id: str) -> None:
    """Let those in `escalate_to` answer too; whoever is not there any more is passed over."""
    question = lock(question_id)
    if not _is_open(question):
        return
    added, groups = find_addressees(question.escalate_to)
    people.keep_team(question)
    question.people.add(*added)
    question.groups.add(*groups)
    question.escalated_at = clock.now()
    question.save(update_fields=["escalated_at"])
    write(question, EventType.QUESTION_ESCALATE, SYSTEM, action="question.escalate", to=question.escalate_to)
    added_now = Q(pk__in=[user.pk for user in added]) | Q(groups__in=groups)
    outbox.tell(question, About.ESCALATED, people.who_may_answer(question).filter(added_now))


def _is_open(question: Question) -> bool:
    """Timers that were due while no worker ran ring late: after the deadline they have nothing to say."""
    is_late = question.deadline is not None and clock.now() >= question.deadline
    return question.status == QuestionStatus.OPEN and not is_late
