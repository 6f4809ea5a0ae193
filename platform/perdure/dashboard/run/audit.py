"""The Audit tab: what people, programs and the engine did to a run, and from where."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from perdure.dashboard.run.frame import read_frame, show_tab
from runs.models import Audit, Run

SHOWN = 200
_DID = {
    "run.start": "Started it",
    "run.cancel": "Cancelled it",
    "run.pause": "Paused it",
    "run.resume": "Let it go on",
    "run.retry": "Retried it",
    "run.fork": "Forked it from another run",
    "run.signal": "Sent a signal",
    "run.move": "Moved it to another version",
}
LONGEST = 300


@dataclass(frozen=True)
class Deed:
    """One row; `more` is what was recorded with it, as text."""

    row: Audit
    said: str
    reason: str
    more: str


def read_deeds(run: Run, before: int | None = None) -> tuple[list[Deed], bool]:
    """The newest first, and whether there are earlier ones."""
    rows = Audit.objects.filter(target=str(run.pk))
    found = list((rows.filter(pk__lt=before) if before else rows).order_by("-pk")[: SHOWN + 1])
    return [_deed(row) for row in found[:SHOWN]], len(found) > SHOWN


def _deed(row: Audit) -> Deed:
    data: dict[str, Any] = dict(row.data)
    reason = str(data.pop("reason", "") or "")
    text = json.dumps(data, ensure_ascii=False) if data else ""
    more = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return Deed(row, _DID.get(row.action, row.action), reason, more)


@require_safe
@login_required
@never_cache
def show_audit(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """`?before=` goes on from a row towards earlier ones."""
    frame = read_frame(request, run_id, "audit")
    before = request.GET.get("before")
    if before is not None and not (before.isascii() and before.isdecimal() and len(before) <= 18):
        raise BadRequest("'before' is not the number of a row. Open the tab anew and page on from there.")
    deeds, more = read_deeds(frame.run, int(before) if before else None)
    return show_tab(request, frame, "dashboard/run/audit.html", deeds=deeds, more=more)
