"""The pages of pipelines and agent flows: all of them, and each with its graph, start, source, versions and runs."""

import secrets
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from flows.agents.catalogue import all_flows
from flows.agents.graph import graph_of
from flows.agents.history import known_versions as versions_of_flow
from flows.agents.naming import JOB as FLOW_JOB
from flows.pipelines.catalogue import all_pipelines
from flows.pipelines.history import known_versions as versions_of_pipeline
from flows.pipelines.starting import JOB as PIPELINE_JOB
from perdure.dashboard.access import get_run_or_404
from perdure.dashboard.definitions.page import DefinitionPage, read_definition, recent_runs, tabs_of
from perdure.dashboard.definitions.versions import change_between
from perdure.dashboard.flow.graph import draw
from perdure.dashboard.paging import read_text
from perdure.dashboard.run.graph.dag import draw_pipeline
from perdure.dashboard.start import sending
from perdure.dashboard.start.around import read_around
from perdure.dashboard.start.copy_as import Snippet, Wanted, snippets
from perdure.dashboard.start.flow_form import FlowForm, initial_of
from perdure.dashboard.start.kept_input import Beginning, form_of, of_run
from perdure.dashboard.start.options import OptionsForm
from perdure.dashboard.start.targets import PipelineTarget
from runs.errors import RunsError
from runs.models import Run


@require_safe
@login_required
@never_cache
def show_definitions(request: HttpRequest) -> HttpResponse:
    """Every pipeline and every flow, in its newest version."""
    context = {"pipelines": all_pipelines(), "flows": all_flows()}
    return render(request, "dashboard/definitions/definition_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def show_pipeline(request: HttpRequest, name: str) -> HttpResponse:
    """A pipeline: its graph and start form, its source, its versions. `?like=` begins with a run's sources."""
    page = _read(request, "pipeline", name)
    if page.tab != "start":
        return _show(request, page)
    like = _like(request, PIPELINE_JOB)
    target = PipelineTarget(page.newest.made)
    beginning = of_run(like, "input") if like is not None else Beginning()
    if request.method == "POST":
        form = form_of(target, beginning, "json" in request.GET, request.POST, request.FILES)
        options = OptionsForm(request.user, request.POST)
        answer = sending.act(sending.Sent(request, target, beginning, form, options))
        if isinstance(answer, HttpResponse):
            return answer
        shown = answer
    else:
        shown = sending.begun(request, target, beginning, secrets.token_urlsafe(24))
    around = read_around(request.user, PIPELINE_JOB, ("pipeline", page.name))
    more = {"shown": shown, "beginning": beginning, "around": around, "drawing": draw_pipeline(page.newest.made)}
    return _show(request, page, shown.status, **more, **sending.ways(request, target))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def show_flow(request: HttpRequest, name: str) -> HttpResponse:
    """A flow: its graph and start form, its source, its versions. `?like=` begins with a run's task."""
    page = _read(request, "flow", name)
    if page.tab != "start":
        return _show(request, page)
    flow, like = page.newest.made, _like(request, FLOW_JOB)
    sent = request.POST if request.method == "POST" else None
    initial = {"token": secrets.token_urlsafe(24)} | (initial_of(like) if like is not None else {})
    form, code, status = FlowForm(flow, request.user, sent, initial=initial), [], 200
    if sent is not None:
        code = _code_of(request, flow.name, form) if sent.get("do") == "code" and form.is_valid() else []
        if not code and form.is_valid():
            try:
                return redirect("dashboard:run", form.start(flow, request.user).pk)
            except RunsError as exc:
                form.add_error(None, str(exc))
        status = 200 if code else 400
    around = read_around(request.user, FLOW_JOB, ("flow", page.name))
    more = {
        "form": form,
        "flow": flow,
        "snippets": code,
        "like": like,
        "around": around,
        "drawing": draw(graph_of(flow)),
    }
    return _show(request, page, status, **more)


def _code_of(request: HttpRequest, name: str, form: FlowForm) -> list[Snippet]:
    team = form.cleaned_data.get("team")
    base_url, asked_for = request.build_absolute_uri("/").rstrip("/"), form.asked_for(name)
    return snippets(Wanted(base_url, FLOW_JOB, asked_for, team.name if team else None, {"flow": name}))


def _read(request: HttpRequest, kind: str, name: str) -> DefinitionPage:
    """Raises Http404 for a name that nobody knows, and for a version that there is not."""
    versions = versions_of_pipeline(name) if kind == "pipeline" else versions_of_flow(name)
    page = read_definition(kind, name, versions, read_text(request.GET, "version"), read_text(request.GET, "tab"))
    if page is None:
        raise Http404(f"There is no such {kind}, or not in this version. Choose one in the list.")
    return page


def _show(request: HttpRequest, page: DefinitionPage, status: int = 200, **context: Any) -> HttpResponse:
    context |= {"page": page, "tabs": tabs_of(page)}
    if page.tab == "runs":
        context["runs"] = recent_runs(request.user, page.kind, page.name)
    if page.tab == "versions" and len(page.versions) > 1:
        old, new = _chosen(request, page, "old", 1), _chosen(request, page, "new", 0)
        context["change"] = change_between(page.name, page.versions[old], page.versions[new])
    template = page.tab if page.tab != "start" else page.kind
    return render(request, f"dashboard/definitions/{template}.html", context, status=status)


def _chosen(request: HttpRequest, page: DefinitionPage, parameter: str, place: int) -> int:
    """The place of the version that the address asks for, else `place`."""
    wanted = read_text(request.GET, parameter)
    return next((number for number, one in enumerate(page.versions) if one.digest == wanted), place)


def _like(request: HttpRequest, job: str) -> Run | None:
    if "like" not in request.GET:
        return None
    try:
        run = get_run_or_404(request.user, UUID(request.GET["like"]))
    except ValueError:
        run = None
    if run is None or run.job != job:
        raise Http404("There is no such run. Look in the list of runs.")
    return run
