"""A mail about a question, to one person who may answer it when it is sent. Its link needs a sign-in."""

from typing import Any
from urllib.parse import urlsplit

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from hitl import people
from hitl.conf import get_settings
from hitl.models import About, Channel, Delivery, DeliveryStatus, MailChoice, Question, QuestionStatus
from runs import clock

SUBJECTS = {
    About.ASKED: "Question: {title}",
    About.REVISED: "Changed question: {title}",
    About.REMINDED: "Reminder: {title}",
    About.ESCALATED: "Escalated: {title}",
    About.DELEGATED: "{by} asks you to answer: {title}",
    About.CLOSED: "{closed}: {title}",
}
LEADS = {
    About.ASKED: "A run asks you:",
    About.REVISED: "A run has changed what it asks you. Answers given before do not count:",
    About.REMINDED: "A run still waits for an answer:",
    About.ESCALATED: "Nobody has answered in time, so now you may:",
    About.DELEGATED: "{by} wants you to answer instead:",
    About.CLOSED: "A question that was put to you needs no answer any more:",
}


def send(delivery: Delivery) -> str:
    """Send it; why it is not to be sent any more, or an empty text. Raises what the mail server makes of it."""
    question, user = delivery.question, delivery.to
    if needless := _needless(delivery, question, user):
        return needless
    assert user is not None
    words = _words(delivery, question)
    message = EmailMultiAlternatives(
        subject=" ".join(SUBJECTS[About(delivery.about)].format(**words).split())[:200],
        body=render_to_string("hitl/mail.txt", words),
        to=[user.email],
        headers=_headers(delivery),
    )
    message.attach_alternative(render_to_string("hitl/mail.html", words), "text/html")
    message.send()
    return ""


def _needless(delivery: Delivery, question: Question, user: Any) -> str:
    """It may have waited for hours: what was true when it was written is looked at again."""
    if user is None or not user.is_active or not user.email:
        return "There is nobody with an address any more."
    if MailChoice.objects.filter(user=user, wanted=False).exists():
        return "This person wants no mails."
    if delivery.about == About.CLOSED:
        told = question.deliveries.filter(channel=Channel.EMAIL, to=user, status=DeliveryStatus.SENT).exists()
        seen = people.visible_questions(user).filter(pk=question.pk).exists()
        return "" if told and seen else "This person was never told of the question, or may not see it any more."
    is_over = question.deadline is not None and clock.now() >= question.deadline
    if question.shown_status != QuestionStatus.OPEN or is_over:
        return "The question was closed before."
    waits = people.who_may_answer(question).filter(pk=user.pk).exists()
    return "" if waits else "This person has answered, or may not answer any more."


def _words(delivery: Delivery, question: Question) -> dict[str, Any]:
    settings, about = get_settings(), About(delivery.about)
    by = str(delivery.data.get("by", ""))
    return {
        "question": question,
        "title": question.title,
        "by": by,
        "lead": LEADS[about].format(by=by),
        "closed": question.shown_status.capitalize(),
        "is_closed": about == About.CLOSED,
        "outcome": question.outcome or {},
        "url": settings.question_url(question.id),
        "inbox_url": settings.inbox_url,
    }


def _headers(delivery: Delivery) -> dict[str, str]:
    """The id is the delivery's: a mail that is sent twice is one mail for who receives it."""
    host = urlsplit(get_settings().base_url).hostname or "localhost"
    return {
        "Message-ID": f"<{delivery.pk}@{host}>",
        "Auto-Submitted": "auto-generated",
        "X-Perdure-Question": str(delivery.question_id),
    }
