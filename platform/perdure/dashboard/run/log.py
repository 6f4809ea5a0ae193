"""The Log tab: every recorded event, numbered."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from perdure.dashboard.run.frame import Frame, read_frame, show_tab
from runs.events.log import read_events
from runs.models import Event

EVENTS_SHOWN = 1000


@require_safe
@login_required
@never_cache
def show_log(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The newest events, which the page's script continues; with `?after=` those after a number, a page at a time.

    `pruned` is the first number still held, where earlier ones were asked for and are gone.
    """
    frame = read_frame(request, run_id, "log")
    if "after" not in request.GET:
        events = _newest(frame) if frame.whole else []
        earlier = bool(events) and events[0].sequence > frame.run.first_sequence
        return show_tab(request, frame, "dashboard/run/log.html", events=events, earlier=earlier, follows=True)
    after = _number(request.GET.get("after", ""))
    start = max(after, frame.run.first_sequence - 1)
    found = read_events(frame.run.pk, after=start, limit=EVENTS_SHOWN)
    more = bool(found) and (found[-1].sequence or 0) < frame.run.last_sequence
    pruned = frame.run.first_sequence if after < frame.run.first_sequence - 1 else None
    return show_tab(request, frame, "dashboard/run/log.html", events=found, more=more, after=after, pruned=pruned)


def _newest(frame: Frame) -> list[Event]:
    """Up to the sequence that the frame's state begins with: the live events follow it."""
    found = frame.run.events.filter(sequence__lte=frame.run.last_sequence).order_by("-sequence")
    return list(reversed(found[:EVENTS_SHOWN]))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise BadRequest("'after' is not the number of an event. Give a number from 0 up.")
    return int(text)
