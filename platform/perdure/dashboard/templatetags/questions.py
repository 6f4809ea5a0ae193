"""Questions in other pages: the count beside the inbox, and those of a run."""

from typing import Any

from django import template

from hitl import people
from hitl.models import QuestionStatus
from perdure.dashboard.inbox.question_page import read_question_page
from runs.models import Run

register = template.Library()


@register.simple_tag(takes_context=True)
def inbox_count(context: dict[str, Any]) -> int:
    """How many questions wait for the one who looks; 0 where nobody is signed in."""
    request = context.get("request")
    return people.inbox(request.user).count() if request is not None else 0


@register.inclusion_tag("dashboard/run/_run_questions.html", takes_context=True)
def run_questions(context: dict[str, Any], run: Run) -> dict[str, Any]:
    """The open questions of a run, each with its form for who may answer."""
    user = context["request"].user
    found = run.questions.filter(status=QuestionStatus.OPEN).order_by("id") if not run.has_ended else []
    return {"pages": [read_question_page(question, user) for question in found], "request": context["request"]}
