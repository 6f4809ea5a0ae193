"""Bulk actions of the admin that ask why before they do anything."""

from typing import Any, Final

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from runs.models import Run

MAX_CHOSEN: Final = 500
"""Runs at once: a request ends before its server gives it up. The pages do larger ones as a run of their own."""
MAX_REASON: Final = 200
"""Characters."""
_NAMED: Final = 20

EFFECTS: Final = {
    "Pause": "Each is held where its running steps end. It keeps what it has done until it is resumed.",
    "Resume": "Each is queued again and goes on where it was held. If the engine held it, mend the cause first.",
    "Retry": "Each goes on from the step that failed it; what is recorded is not done again.",
    "Cancel": "Each ends now, with the runs that it started, and cannot be resumed or retried.",
    "Delete": "Each is removed with its history and files. It cannot be undone; the audit keeps who did it.",
}
"""By what the button says."""


def read_reason(admin: Any, request: HttpRequest, runs: QuerySet[Run], verb: str) -> str | TemplateResponse | None:
    """The reason that came with the choice; else the page that asks for it, or None when too many are chosen.

    `verb` as in "Cancel".
    """
    chosen = list(runs[: MAX_CHOSEN + 1])
    if len(chosen) > MAX_CHOSEN:
        said = f"Choose {MAX_CHOSEN} runs at most. The list of runs in the pages takes all that match a filter."
        admin.message_user(request, said, messages.WARNING)
        return None
    reason = request.POST.get("reason", "").strip()
    if reason and len(reason) <= MAX_REASON and "\0" not in reason:
        return reason
    context = admin.admin_site.each_context(request) | {
        "title": f"{verb} {len(chosen)} run{'s' if len(chosen) != 1 else ''}",
        "opts": admin.model._meta,
        "effect": EFFECTS[verb],
        "is_danger": verb in ("Cancel", "Delete"),
        "runs": chosen[:_NAMED],
        "more": max(0, len(chosen) - _NAMED),
        "chosen": [str(run.pk) for run in chosen],
        "action": request.POST["action"],
        "checkbox": ACTION_CHECKBOX_NAME,
        "most": MAX_REASON,
        "wrong": "reason" in request.POST,
    }
    return TemplateResponse(request, "admin/runs/reason.html", context)
