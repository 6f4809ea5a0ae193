"""The pages of schedules: list, form, one schedule, and what a person does to it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from perdure.dashboard.access import get_preset_or_404, get_schedule_or_404
from perdure.dashboard.catalogue import card_of, latest_jobs
from perdure.dashboard.kept_input import input_form, input_of
from perdure.dashboard.schedule_form import ScheduleForm
from perdure.dashboard.schedule_page import cards
from perdure.dashboard.schema_form import RAW, JobForm
from runs import jobs
from runs.definitions import Job
from runs.errors import InvalidInput, InvalidOption, JobNotFound, NameTaken, RunsError
from runs.models import Run, Schedule

SHOWN = 200


@require_safe
@login_required
@never_cache
def show_schedules(request: HttpRequest) -> HttpResponse:
    """The schedules that one may see, those that are due next first."""
    rows = jobs.visible_schedules(request.user).select_related("owner", "team")
    found = sorted(rows.order_by("-id")[:SHOWN], key=lambda one: (one.next_at is None, one.next_at, one.name))
    return render(request, "dashboard/schedule_list.html", {"cards": cards(request.user, found)})


@require_safe
@login_required
def choose_job(request: HttpRequest) -> HttpResponse:
    """For which job."""
    return render(request, "dashboard/schedule_job.html", {"jobs": latest_jobs()})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def new_schedule(request: HttpRequest, name: str) -> HttpResponse:
    """A form for the job's input and its times; sent, it makes a schedule. `?preset=` begins with a preset."""
    job = _job_or_404(name)
    preset = get_preset_or_404(request.user, request.GET["preset"], name) if "preset" in request.GET else None
    data = request.POST if request.method == "POST" else None
    form = input_form(job, preset, request.GET, data)
    when = ScheduleForm(request.user, data, labels=preset.labels if preset else None)
    if data is not None and form.is_valid() & when.is_valid():
        made = _save(form, when, lambda: jobs.create_schedule(
            jobs.ScheduleSpec(job=job.name, input=input_of(form, preset), **when.spec()),
            owner=request.user, actor=_actor(request),
        ))  # fmt: skip
        if made is not None:
            messages.success(request, "The schedule is made.")
            return redirect("dashboard:schedule", made.pk)
    return _show_form(request, card_of(job), form, when)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def edit_schedule(request: HttpRequest, schedule_id: UUID) -> HttpResponse:
    """The same form, filled. Without its job only the times can be changed."""
    schedule = get_schedule_or_404(request.user, schedule_id)
    job = _job_or_none(schedule)
    data = request.POST if request.method == "POST" else None
    form = input_form(job, schedule, request.GET, data) if job else None
    when = ScheduleForm(request.user, data, schedule)
    if data is not None and (form is None or form.is_valid()) & when.is_valid():
        changes = when.spec() | ({"input": input_of(form, schedule)} if form else {})
        saved = _save(form, when, lambda: jobs.change_schedule(
            schedule.pk, changes, by=request.user, actor=_actor(request)
        ))  # fmt: skip
        if saved is not None:
            messages.success(request, "The schedule is changed.")
            return _back_to(request, schedule)
    return _show_form(request, card_of(job) if job else None, form, when, schedule)


@require_safe
@login_required
@never_cache
def show_schedule(request: HttpRequest, schedule_id: UUID) -> HttpResponse:
    """One schedule: its next times, its last run, and what went wrong."""
    schedule = get_schedule_or_404(request.user, schedule_id)
    context = {"card": cards(request.user, [schedule])[0], "schedule": schedule}
    shown = jobs.redact(schedule.input, schedule.secrets)
    return render(request, "dashboard/schedule.html", {**context, "input": shown})


@require_POST
@login_required
def pause_schedule(request: HttpRequest, schedule_id: UUID) -> HttpResponse:
    """Start nothing until it is resumed."""
    return _act(request, schedule_id, jobs.pause_schedule, "The schedule is paused.")


@require_POST
@login_required
def resume_schedule(request: HttpRequest, schedule_id: UUID) -> HttpResponse:
    """Go on with the next time from now."""
    return _act(request, schedule_id, jobs.resume_schedule, "The schedule goes on.")


@require_POST
@login_required
def run_schedule(request: HttpRequest, schedule_id: UUID) -> HttpResponse:
    """Start its run now, and show it."""
    started: list[Run] = []

    def trigger(found: UUID, actor: jobs.Actor) -> None:
        started.append(jobs.trigger_schedule(found, starter=request.user, actor=actor).run)

    answer = _act(request, schedule_id, trigger, "This run was started.")
    seen = started and jobs.visible_runs(request.user).filter(pk=started[0].pk).exists()
    return redirect("dashboard:run", started[0].pk) if seen else answer


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def delete_schedule(request: HttpRequest, schedule_id: UUID) -> HttpResponse:
    """Ask, then delete it; its runs stay."""
    schedule = get_schedule_or_404(request.user, schedule_id)
    if request.method != "POST":
        back = reverse("dashboard:schedule", args=[schedule.pk])
        return render(request, "dashboard/delete_kept.html", {"kind": "schedule", "kept": schedule, "back": back})
    return _act(request, schedule_id, jobs.delete_schedule, "The schedule is deleted.")


def _act(request: HttpRequest, schedule_id: UUID, action: Callable[..., Any], done: str) -> HttpResponse:
    """A refusal of the engine is shown as it is, since it names the remedy."""
    schedule = get_schedule_or_404(request.user, schedule_id)
    try:
        action(schedule.pk, actor=_actor(request))
    except RunsError as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, done)
    return _back_to(request, schedule)


def _save(form: JobForm | None, when: ScheduleForm, write: Callable[[], Schedule]) -> Schedule | None:
    """What `write` makes; None where it refuses, which is then told at its field."""
    try:
        return write()
    except InvalidInput as exc:
        if form is not None:
            form.add_input_errors(exc.fields)
    except InvalidOption as exc:
        when.add_refusal(exc)
    except NameTaken as exc:
        when.add_error("name", str(exc))
    except RunsError as exc:
        when.add_error(None, str(exc))
    return None


def _show_form(
    request: HttpRequest, job: Any, form: JobForm | None, when: ScheduleForm, schedule: Schedule | None = None
) -> HttpResponse:
    raw = form is not None and RAW in form.schema_fields
    job_name = schedule.job if schedule is not None else job.name
    context = {"job": job, "job_name": job_name, "form": form, "when": when, "schedule": schedule, "raw": raw}
    return render(request, "dashboard/schedule_form.html", context, status=400 if when.is_bound else 200)


def _back_to(request: HttpRequest, schedule: Schedule) -> HttpResponse:
    """Its page; the list where it is gone, or was given to a team that one is not in."""
    if jobs.visible_schedules(request.user).filter(pk=schedule.pk).exists():
        return redirect("dashboard:schedule", schedule.pk)
    return redirect("dashboard:schedule-list")


def _job_or_none(schedule: Schedule) -> Job | None:
    try:
        return jobs.get_job(schedule.job, schedule.job_version or None)
    except JobNotFound:
        return None


def _job_or_404(name: str) -> Job:
    try:
        return jobs.get_job(name)
    except JobNotFound as exc:
        raise Http404("There is no such job. Choose one in the list of jobs.") from exc


def _actor(request: HttpRequest) -> jobs.Actor:
    return jobs.Actor.of(request.user, address=request.META.get("REMOTE_ADDR", ""))
