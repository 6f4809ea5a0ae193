"""The inbox, and the page of one question."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hitl import answers, people
from hitl.errors import InvalidAnswer, MayNotAnswer, QuestionNotFound
from hitl.models import Question, QuestionStatus
from perdure.dashboard.access import actor_of
from perdure.dashboard.inbox.answer_form import AnswerForm
from perdure.dashboard.inbox.closed import read_closed
from perdure.dashboard.inbox.filters import InboxFilter
from perdure.dashboard.inbox.question_page import read_question_page
from perdure.dashboard.inbox.urgency import grouped
from perdure.dashboard.paging import read_text
from runs import clock
from runs.errors import RunsError
from runs.jobs import visible_runs

SHOWN = 100
CLOSED_SHOWN = 5
BY_DEADLINE = F("deadline").asc(nulls_last=True)


@require_safe
@login_required
@never_cache
def show_inbox(request: HttpRequest) -> HttpResponse:
    """The questions that wait for this person, those that run out first before the others, and what was closed last."""
    wanted = InboxFilter.of(request.GET)
    if wanted.shows_closed:
        return _show_closed(request, wanted)
    of_all = people.inbox(request.user)
    waiting = wanted.apply(of_all)
    context = {
        "filter": wanted,
        "chips": wanted.chips(of_all),
        "jobs": wanted.jobs(of_all),
        "groups": grouped(waiting.select_related("run__owner").order_by(BY_DEADLINE, "id")[:SHOWN], clock.now()),
        "waiting_count": waiting.count(),
        "most": SHOWN,
        "closed": wanted.apply(_closed(request)).select_related("run").order_by("-closed_at", "-id")[:CLOSED_SHOWN],
    }
    return render(request, "dashboard/inbox/inbox.html", context)


@require_safe
@login_required
@never_cache
def count_waiting(request: HttpRequest) -> JsonResponse:
    """What the bar of every page asks now and then when no live line tells it."""
    return JsonResponse({"count": people.inbox(request.user).count()})


def _show_closed(request: HttpRequest, wanted: InboxFilter) -> HttpResponse:
    page = read_closed(wanted.apply(_closed(request)), read_text(request.GET, "before"))
    context = {"filter": wanted, "page": page, "chips": wanted.chips(_closed(request))}
    return render(request, "dashboard/inbox/closed.html", context)


def _closed(request: HttpRequest) -> QuerySet[Question]:
    return people.visible_questions(request.user).exclude(status=QuestionStatus.OPEN)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def show_question(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """What is asked, with a form for who may answer; sent, it decides."""
    question = _question_or_404(request, question_id)
    if request.method != "POST":
        return _show(request, question)
    form = AnswerForm(question, request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, question, form, status=200 if form.is_edited else 400)
    try:
        answers.answer(
            question.pk, request.user, form.decision, form.value, form.cleaned_data["comment"],
            digest=form.cleaned_data["digest"], idempotency_key=form.key, actor=actor_of(request),
        )  # fmt: skip
    except InvalidAnswer as exc:
        form.add_refusal(exc)
        return _show(request, question, form, status=400)
    except RunsError as exc:
        messages.error(request, str(exc))
        status = 403 if isinstance(exc, MayNotAnswer) else 409
        return _show(request, _question_or_404(request, question_id), status=status)
    messages.success(request, "Your answer counts.")
    if request.POST.get("back") == "run":  # answered on the run's page, where one sees what follows
        return redirect("dashboard:run", question.run_id)
    return redirect("dashboard:question", question.pk)


@require_POST
@login_required
def comment_question(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """Say something without deciding."""
    text = request.POST.get("text", "")
    return _act(request, question_id, lambda: answers.comment(question_id, request.user, text, actor=actor_of(request)))


@require_POST
@login_required
def delegate_question(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """Let another person answer instead."""
    to = request.POST.get("to", "").replace("\0", "").strip()
    return _act(request, question_id, lambda: answers.delegate(question_id, request.user, to, actor=actor_of(request)))


@require_POST
@login_required
def withdraw_question(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """Take it back; its job is told."""
    reason = request.POST.get("reason", "").strip()
    return _act(
        request, question_id, lambda: answers.withdraw(question_id, request.user, reason, actor=actor_of(request))
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
        "next": _next(request, question) if status == 200 else None,
        "back_to": "run" if request.POST.get("back") == "run" else "",
        "sees_run": visible_runs(request.user).filter(pk=question.run_id).exists(),
    }
    return render(request, "dashboard/inbox/question.html", context, status=status)


def _next(request: HttpRequest, question: Question) -> Question | None:
    """What waits for the same person beside this one."""
    return people.inbox(request.user).exclude(pk=question.pk).order_by(BY_DEADLINE, "id").first()


def _question_or_404(request: HttpRequest, question_id: UUID) -> Question:
    try:
        return people.get(request.user, question_id)
    except QuestionNotFound as exc:
        raise Http404("There is no such question. Look in your inbox.") from exc
