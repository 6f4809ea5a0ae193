"""The page of the admin that checks the invariants when it is asked to."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from runs.maintenance.invariants import INVARIANTS, look


def invariants_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """What must hold; after a POST, whether it does: a look reads many rows, so no link and no reload begins one."""
    looked = look() if request.method == "POST" else None
    context = {
        **site.each_context(request), "title": "Check the invariants", "invariants": list(INVARIANTS.values()),
        "looked": looked,
    }  # fmt: skip
    return render(request, "admin/runs/invariants.html", context)
