"""The State tab: the run's document, now or as of one of its changes."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from perdure.dashboard.paging import read_text
from perdure.dashboard.run.frame import read_frame, show_tab
from perdure.dashboard.run.state.history import Change, document_after, neighbours
from perdure.dashboard.run.tabs import has_state
from runs.events.types import EventType
from runs.models import Run, State

PAGE = 50
MOST = 5000
"""Changes that are read, the newest; of a state that was changed more often no earlier document is shown."""


@dataclass(frozen=True)
class Shown:
    """`value` is None where the document of that time cannot be told any more."""

    value: Any
    change: Change | None
    before: int | None
    after: int | None
    is_whole: bool


@require_safe
@login_required
@never_cache
def show_state(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The document and its changes, newest first; `?as_of=<sequence of a change>` shows it as it was then."""
    frame = read_frame(request, run_id, "state")
    changes = _read_changes(frame.run)
    shown = _read_shown(frame.run, changes, _as_of(request))
    page = Paginator(changes[::-1], PAGE).get_page(read_text(request.GET, "page") or "1")
    return show_tab(
        request, frame, "dashboard/run/state/state.html",
        shown=shown, page=page, changes=len(changes), has_state=has_state(frame.run),
        page_href=f"?as_of={shown.change.sequence}&page=" if shown.change else "?page=",
    )  # fmt: skip


def _as_of(request: HttpRequest) -> int | None:
    text = read_text(request.GET, "as_of")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise BadRequest("'as_of' is not the number of an event. Choose one of the changes beside the state.")
    return int(text)


def _read_changes(run: Run) -> list[Change]:
    events = run.events.filter(type__in=[EventType.STATE_PATCH, EventType.STATE_SET]).order_by("-sequence")[:MOST]
    return [Change(event.sequence, event.created_at, event.data.get("patch") or []) for event in reversed(events)]


def _read_shown(run: Run, changes: list[Change], as_of: int | None) -> Shown:
    is_whole = run.first_sequence <= 1 and len(changes) < MOST
    if as_of is None:
        state = State.objects.filter(run=run).first()
        return Shown(state.value if state else None, None, changes[-1].sequence if changes else None, None, is_whole)
    change = next((one for one in changes if one.sequence == as_of), None)
    if change is None:
        raise Http404("No change of this run's state has this number. Choose one of the changes beside the state.")
    before, after = neighbours(changes, as_of)
    value = document_after(one for one in changes if one.sequence <= as_of) if is_whole else None
    return Shown(value, change, before, after, is_whole)
