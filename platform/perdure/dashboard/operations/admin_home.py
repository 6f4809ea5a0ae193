"""The first page of the admin: to each what they may see."""

from typing import Any

from django.http import HttpRequest

from perdure.dashboard.operations import overview
from runs.maintenance.invariants import INVARIANTS


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds what the page shows to the admin's own context; the theme calls it."""
    may = request.user.has_perm
    context["title"] = "Overview"
    if may("runs.view_run"):
        context |= {"stuck": overview.read_stuck(), "late": overview.longest_due(), "keeping": overview.read_keeping()}
    if may("runs.view_worker"):
        context["leases"] = overview.read_leases()
    if may("hitl.view_question"):
        context["questions"] = overview.count_questions()
    if may("llm.view_providerprofile"):
        context["profiles"] = overview.read_profiles()
    if may("runs.check_invariants") and may("runs.view_run"):
        context["invariants"] = len(INVARIANTS)
    return context
