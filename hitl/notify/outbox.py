"""What is to be told, written in the caller's transaction: a question that is there has its messages, and no other."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from hitl import people
from hitl.conf import HitlSettings, get_settings
from hitl.models import About, Channel, Delivery, MailChoice, Question
from runs import clock


def tell(question: Question, about: About, users: "QuerySet[Any] | None" = None, **data: Any) -> None:
    """A mail to each of `users` (by default all who may answer and have not), and one message to the webhook."""
    settings = get_settings()
    made: list[Delivery] = []
    if settings.email:
        found = people.who_may_answer(question) if users is None else users
        made += [_delivery(question, Channel.EMAIL, about, user, data) for user in _with_address(found)]
    if settings.webhook_url:
        made.append(_delivery(question, Channel.WEBHOOK, about, None, _body(settings, question, about, data)))
    Delivery.objects.bulk_create(made)


def tell_closed(question: Question) -> None:
    """To those who were told of it; who answered knows."""
    told = question.deliveries.filter(channel=Channel.EMAIL).values("to")
    answered = question.answers.values("by")
    users = get_user_model()._default_manager.filter(pk__in=told).exclude(pk__in=answered.exclude(by=None))
    outcome = question.outcome or {}
    by = [answer["by"] for answer in outcome.get("answers", [])]
    tell(question, About.CLOSED, users, decision=outcome.get("decision"), by=by, reason=outcome.get("withdrawn", ""))


def _with_address(users: "QuerySet[Any]") -> Iterable[Any]:
    unwanted = MailChoice.objects.filter(wanted=False).values("user")
    return users.filter(is_active=True).exclude(email="").exclude(pk__in=unwanted)


def _delivery(question: Question, channel: Channel, about: About, to: Any, data: dict[str, Any]) -> Delivery:
    now = clock.now()
    return Delivery(question=question, channel=channel, about=about, to=to, data=data, created_at=now, due_at=now)


def _body(settings: HitlSettings, question: Question, about: About, data: dict[str, Any]) -> dict[str, Any]:
    """Enough to show a line that leads to the question: its body and context stay behind the sign-in."""
    shown = {
        "question": str(question.id), "run": str(question.run_id), "job": question.run.job, "title": question.title,
        "kind": question.kind, "status": question.status, "deadline": _iso(question.deadline),
        "url": settings.question_url(question.id),
    }  # fmt: skip
    return {"type": f"question.{about}", "timestamp": _iso(clock.now()), "data": shown | data}


def _iso(at: Any) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
