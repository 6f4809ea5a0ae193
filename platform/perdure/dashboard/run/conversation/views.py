"""The Conversation tab: what models were asked and said in a run, and what their tools gave."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from perdure.dashboard.access import get_run_or_404
from perdure.dashboard.run.conversation.calls import StepsBeside
from perdure.dashboard.run.conversation.entries import Conversation
from perdure.dashboard.run.conversation.reading import STREAM, read_conversation
from perdure.dashboard.run.conversation.turns import read_turn
from perdure.dashboard.run.frame import read_frame, show_tab
from runs.models import Run

_PART = "dashboard/run/conversation/_talks.html"


@require_safe
@login_required
@never_cache
def show_conversation(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The newest turns, or with `?before=` those before this step's id.

    `?part&since=` gives but the talks with turns from this step's id on: the page's script reads what has changed.
    `?text=` gives all that this step's turn said as plain text: a page holds no more than the beginning of a long one.
    """
    before, since = _id_in(request.GET, "before"), _id_in(request.GET, "since")
    if "text" in request.GET:
        return _show_text(get_run_or_404(request.user, run_id), _id_in(request.GET, "text"))
    if "part" in request.GET:
        run = get_run_or_404(request.user, run_id)
        found = read_conversation(run, since=since or 0)
        return render(request, _PART, {"run": run, "conversation": found})
    frame = read_frame(request, run_id, "conversation")
    conversation = read_conversation(frame.run, before=before) if frame.whole else Conversation((), ())
    return show_tab(
        request, frame, "dashboard/run/conversation/conversation.html", conversation=conversation,
        is_newest=before is None,
    )  # fmt: skip


def _show_text(run: Run, step_id: int | None) -> HttpResponse:
    step = run.steps.filter(pk=step_id or 0, kind=STREAM).first()
    if step is None:
        raise Http404("This run has no such turn. Open its conversation and choose one.")
    return HttpResponse(read_turn(step, StepsBeside()).text, content_type="text/plain; charset=utf-8")


def _id_in(query: QueryDict, name: str) -> int | None:
    """Raises BadRequest for what is no id."""
    text = query.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:
        raise BadRequest(f"{name!r} is not the number of a step. Open the conversation from its run.")
    return int(text)
