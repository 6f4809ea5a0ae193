"""The page of the admin that checks the invariants when it is asked to, and mends what can be mended."""

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from runs.jobs import Actor
from runs.maintenance.invariants import INVARIANTS, look
from runs.maintenance.rounds import mend_now

MEND_SECONDS = 20.0
"""A look follows, of as long: a server in front gives up after a minute."""


def invariants_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """What must hold; after a POST, whether it does: a look reads many rows, so no link and no reload begins one."""
    may_mend = request.user.has_perm("runs.change_run")
    if request.method == "POST" and request.POST.get("do") == "mend" and may_mend:
        _mend(request)
    looked = look() if request.method == "POST" else None
    mendable = looked is not None and any(one.violations and one.invariant.is_mended for one in looked.found)
    context = {
        **site.each_context(request), "title": "Check the invariants", "invariants": list(INVARIANTS.values()),
        "looked": looked, "can_mend": mendable and may_mend,
    }  # fmt: skip
    return render(request, "admin/runs/invariants.html", context)


def _mend(request: HttpRequest) -> None:
    mended = mend_now(Actor.of(request.user, address=request.META.get("REMOTE_ADDR", "")), MEND_SECONDS)
    if not mended:
        return messages.warning(
            request, "Nothing was mended: what was broken holds again, or somebody else has the run."
        )
    counts = ", ".join(f"{name} {count}" for name, count in sorted(mended.items()))
    messages.success(request, f"Mended: {counts}. The log of each run and the audit say what was done.")
