"""The inbox, and the page of one question."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hitl import answers, people
from hitl.errors import InvalidAnswer, MayNotAnswer, QuestionNotFound
from hitl.models import Question, QuestionStatus
from hitl.notify import choice
from perdure.dashboard.answer_form import AnswerForm
from perdure.dashboard.question_page import read_question_page
from runs.errors import RunsError
from runs.jobs import Actor, visible_runs

SHOWN = 100
CLOSED_SHOWN = 20


@require_safe
@login_required
@never_cache
def show_inbox(request: HttpRequest) -> HttpResponse:
    """The questions that wait for this person, those that run out first before the others; then what was decided."""
    by_deadline = F("deadline").asc(nulls_last=True)
    closed = people.visible_questions(request.user).exclude(status=QuestionStatus.OPEN)
    waiting = people.inbox(request.user)
    context = {
        "waiting": waiting.select_related("run").order_by(by_deadline, "id")[:SHOWN],
        "waiting_count": waiting.count(),
        "closed": closed.select_related("run").order_by("-closed_at")[:CLOSED_SHOWN],
        "may_choose_mails": choice.may_choose(request.user),
        "wants_mails": choice.wants_mails(request.user),
    }
    return render(request, "dashboard/inbox.html", context)


@require_POST
@login_required
def choose_mails(request: HttpRequest) -> HttpResponse:
    """Whether the one who is signed in gets mails about questions."""
    wanted = request.POST.get("wanted") == "yes"
    choice.choose_mails(request.user, wanted)
    messages.success(request, "You get mails about questions." if wanted else "You get no mails about questions.")
    return redirect("dashboard:inbox")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def show_question(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """What is asked, with a form for who may answer; sent, it decides."""
    question = _question_or_404(request, question_id)
    if request.method != "POST":
        return _show(request, question)
    form = AnswerForm(question, request.POST)
    if not form.is_valid():
        return _show(request, question, form, status=400)
    try:
        answers.answer(
            question.pk, request.user, form.decision, form.value, form.cleaned_data["comment"],
            digest=form.cleaned_data["digest"], idempotency_key=form.key, actor=_actor(request),
        )  # fmt: skip
    except InvalidAnswer as exc:
        form.add_refusal(exc)
        return _show(request, question, form, status=400)
    except RunsError as exc:
        messages.error(request, str(exc))
        status = 403 if isinstance(exc, MayNotAnswer) else 409
        return _show(request, _question_or_404(request, question_id), status=status)
    messages.success(request, "Your answer counts.")
    return redirect("dashboard:question", question.pk)


@require_POST
@login_required
def comment_question(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """Say something without deciding."""
    text = request.POST.get("text", "")
    return _act(request, question_id, lambda: answers.comment(question_id, request.user, text, actor=_actor(request)))


@require_POST
@login_required
def delegate_question(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """Let another person answer instead."""
    to = request.POST.get("to", "").replace("\0", "").strip()
    return _act(request, question_id, lambda: answers.delegate(question_id, request.user, to, actor=_actor(request)))


@require_POST
@login_required
def withdraw_question(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """Take it back; its job is told."""
    reason = request.POST.get("reason", "").strip()
    return _act(
        request, question_id, lambda: answers.withdraw(question_id, request.user, reason, actor=_actor(request))
    )


def _act(request: HttpRequest, question_id: UUID, action: Any) -> HttpResponse:
    _question_or_404(request, question_id)
    try:
        action()
    except RunsError as exc:
        messages.error(request, str(exc))
    if people.visible_questions(request.user).filter(pk=question_id).exists():
        return redirect("dashboard:question", question_id)
    return redirect("dashboard:inbox")


def _show(request: HttpRequest, question: Question, form: AnswerForm | None = None, status: int = 200) -> HttpResponse:
    context = {
        "page": read_question_page(question, request.user, form),
        "question": question,
        "comments": question.comments.all(),
        "sees_run": visible_runs(request.user).filter(pk=question.run_id).exists(),
    }
    return render(request, "dashboard/question.html", context, status=status)


def _question_or_404(request: HttpRequest, question_id: UUID) -> Question:
    try:
        return people.get(request.user, question_id)
    except QuestionNotFound as exc:
        raise Http404("There is no such question. Look in your inbox.") from exc


def _actor(request: HttpRequest) -> Actor:
    return Actor.of(request.user, address=request.META.get("REMOTE_ADDR", ""))
