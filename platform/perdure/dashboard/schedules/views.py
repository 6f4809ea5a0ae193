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

from flows.agents.catalogue import all_flows
from flows.agents.naming import JOB as FLOW_JOB
from perdure.dashboard.access import actor_of, get_preset_or_404, get_schedule_or_404
from perdure.dashboard.catalogue import JobCard, card_of, latest_jobs
from perdure.dashboard.forms.schema_form import JobForm
from perdure.dashboard.paging import read_text
from perdure.dashboard.schedules.flow_input import FlowInputForm, flow_named, flow_of
from perdure.dashboard.schedules.schedule_form import ScheduleForm
from perdure.dashboard.schedules.schedule_page import cards, status_chips
from perdure.dashboard.schedules.schedule_runs import last_runs
from perdure.dashboard.start.kept_input import input_form, input_of
from runs import jobs
from runs.definitions import Job
from runs.errors import InvalidInput, InvalidOption, JobNotFound, NameTaken, RunsError
from runs.models import Run, Schedule

InputForm = JobForm | FlowInputForm
SHOWN = 200
RUNS_SHOWN = 10


@require_safe
@login_required
@never_cache
def show_schedules(request: HttpRequest) -> HttpResponse:
    """The schedules that one may see, those that are due next first; `?status=` shows those of one."""
    rows = list(jobs.visible_schedules(request.user).select_related("owner", "team").order_by("-id")[: SHOWN + 1])
    found = sorted(rows[:SHOWN], key=lambda one: (one.next_at is None, one.next_at, one.name))
    status = read_text(request.GET, "status")
    context = {
        "cards": cards(request.user, [one for one in found if status in ("", one.status)]),
        "chips": status_chips(found),
        "status": status,
        "cut": SHOWN if len(rows) > SHOWN else None,
    }
    return render(request, "dashboard/schedules/schedule_list.html", context)


@require_safe
@login_required
def choose_job(request: HttpRequest) -> HttpResponse:
    """For which flow or job; `?q=` shows those whose name or description holds the text."""
    wanted = read_text(request.GET, "q").strip()
    needle = wanted.casefold()
    flows = [flow for flow in all_flows() if needle in f"{flow.name} {flow.description}".casefold()]
    # the job of all flows stands there as them
    found = [
        card
        for card in latest_jobs()
        if card.name != FLOW_JOB and needle in f"{card.name} {card.description}".casefold()
    ]
    context = {"flows": flows, "jobs": found, "wanted": wanted}
    return render(request, "dashboard/schedules/schedule_job.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def new_flow_schedule(request: HttpRequest, name: str) -> HttpResponse:
    """A form for a flow's task and its times; sent, it makes a schedule of the job of all flows."""
    flow = flow_named(name)
    if flow is None:
        raise Http404("There is no such flow. Choose one in the list of flows.")
    data = request.POST if request.method == "POST" else None
    form, when = FlowInputForm(flow, data), ScheduleForm(request.user, data, labels={"flow": flow.name})
    if data is not None and form.is_valid() & when.is_valid():
        made = _save(form, when, lambda: _create(request, FLOW_JOB, form.input_value(), when))
        if made is not None:
            return redirect("dashboard:schedule", made.pk)
    return _show_form(request, JobCard(flow.name, flow.version, flow.description), form, when)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def new_schedule(request: HttpRequest, name: str) -> HttpResponse:
    """A form for the job's input and its times; sent, it makes a schedule. `?preset=` begins with a preset."""
    job = _job_or_404(name)
    preset = get_preset_or_404(request.user, request.GET["preset"], name) if "preset" in request.GET else None
    data = request.POST if request.method == "POST" else None
    form = input_form(job, preset, request.GET, data, request.FILES)
    when = ScheduleForm(request.user, data, labels=preset.labels if preset else None)
    if data is not None and not form.is_edited and form.is_valid() & when.is_valid():
        made = _save(form, when, lambda: _create(
            request, job.name, input_of(form, preset, job, request.user), when
        ))  # fmt: skip
        if made is not None:
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
    flow = flow_of(schedule) if job and "json" not in request.GET else None
    form: InputForm | None = None
    if flow is not None:
        form = FlowInputForm(flow, data, schedule.input)
    elif job is not None:
        form = input_form(job, schedule, request.GET, data, request.FILES)
    when = ScheduleForm(request.user, data, schedule)
    is_edited = form is not None and form.is_edited
    if data is not None and not is_edited and (form is None or form.is_valid()) & when.is_valid():
        saved = _save(form, when, lambda: jobs.change_schedule(
            schedule.pk, when.spec() | _changed_input(form, schedule, job, request.user),
            by=request.user, actor=actor_of(request),
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
    runs, is_all = last_runs(request.user, schedule, RUNS_SHOWN)
    context = {
        "card": cards(request.user, [schedule])[0],
        "schedule": schedule,
        "input": jobs.redact(schedule.input, schedule.secrets),
        "runs": runs,
        "is_all": is_all,
    }
    return render(request, "dashboard/schedules/schedule.html", context)


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
        return render(request, "dashboard/start/delete_kept.html", {"kind": "schedule", "kept": schedule, "back": back})
    return _act(request, schedule_id, jobs.delete_schedule, "The schedule is deleted.")


def _act(request: HttpRequest, schedule_id: UUID, action: Callable[..., Any], done: str) -> HttpResponse:
    """A refusal of the engine is shown as it is, since it names the remedy."""
    schedule = get_schedule_or_404(request.user, schedule_id)
    try:
        action(schedule.pk, actor=actor_of(request))
    except RunsError as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, done)
    return _back_to(request, schedule)


def _create(request: HttpRequest, job: str, value: Any, when: ScheduleForm) -> Schedule:
    spec = jobs.ScheduleSpec(job=job, input=value, **when.spec())
    made = jobs.create_schedule(spec, owner=request.user, actor=actor_of(request))
    messages.success(request, "The schedule is made.")
    return made


def _changed_input(form: InputForm | None, schedule: Schedule, job: Job | None, user: Any) -> dict[str, Any]:
    if form is None:
        return {}
    if isinstance(form, FlowInputForm):
        return {"input": form.input_value()}
    return {"input": input_of(form, schedule, job, user)}


def _save(form: InputForm | None, when: ScheduleForm, write: Callable[[], Schedule]) -> Schedule | None:
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
    request: HttpRequest,
    job: Any,
    form: InputForm | None,
    when: ScheduleForm,
    schedule: Schedule | None = None,
) -> HttpResponse:
    raw = isinstance(form, JobForm) and form.is_raw
    of_flow = form.shown if isinstance(form, FlowInputForm) else None
    wrong = when.is_bound and not (form is not None and form.is_edited)
    job_name = form.flow.name if isinstance(form, FlowInputForm) else schedule.job if schedule else job.name
    context = {"job": job, "job_name": job_name, "form": form, "when": when, "schedule": schedule, "raw": raw,
               "of_flow": of_flow}  # fmt: skip
    return render(request, "dashboard/schedules/schedule_form.html", context, status=400 if wrong else 200)


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
