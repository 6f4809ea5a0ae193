"""Filtered lists that people keep under a name."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.core.exceptions import BadRequest
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from perdure.dashboard.access import actor_of
from perdure.dashboard.models import SavedView
from perdure.dashboard.run_list.filters import RunFilter
from runs import clock, jobs

MOST = 50
"""Views that one person keeps: all of them stand on the page."""


def visible_views(user: Any) -> QuerySet[SavedView]:
    """A person's own, and their teams'."""
    return SavedView.objects.filter(Q(owner=user.pk, team=None) | Q(team__in=user.groups.values("id")))


@require_POST
@login_required
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep the list as it is under a name; the same name again replaces."""
    name = " ".join(request.POST.get("name", "").replace("\0", "").split())
    if not name or len(name) > 60:
        raise BadRequest("A view needs a name of at most 60 characters. Go back and give it one.")
    # Only what the list itself understands is kept: an address is built of it later.
    query = RunFilter.of(QueryDict(request.POST.get("query", ""))).query()
    if len(query) > 2000:
        raise BadRequest("The filters are too long to be kept. Leave some out.")
    team = _team_of(request)
    if SavedView.objects.filter(owner=request.user.pk).count() >= MOST:
        messages.error(request, f"You have {MOST} views. Delete one that you no longer use, then save this one.")
    else:
        _keep(request, name, query, team)
    return redirect(f"{reverse('dashboard:run-list')}?{query}")


def _keep(request: HttpRequest, name: str, query: str, team: Group | None) -> None:
    whose = {"team": team} if team else {"team": None, "owner": request.user}
    made = {"query": query, "owner": request.user, "created_at": clock.now()}
    try:
        with transaction.atomic():
            SavedView.objects.update_or_create(name=name, **whose, defaults=made)
            jobs.audit(actor_of(request), "view.save", name, {"query": query, "team": team.name if team else None})
    except IntegrityError:
        messages.error(request, f"Somebody saved a view named {name} at this moment. Save yours again.")
    else:
        messages.success(request, f"The view {name} is saved{f' for {team.name}' if team else ''}.")


def _team_of(request: HttpRequest) -> Group | None:
    name = request.POST.get("team", "").replace("\0", "")
    if not name:
        return None
    user: Any = request.user
    team: Group | None = user.groups.filter(name=name).first()
    if team is None:
        raise BadRequest("That is not a team that you are in. Choose one of yours, or keep the view for yourself.")
    return team


@require_POST
@login_required
def delete_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """Its owner's, or its team's: whoever sees it. Another one does not exist."""
    view = visible_views(request.user).filter(pk=view_id).first()
    if view is None:
        raise Http404("There is no such view. Look in the list of runs.")
    with transaction.atomic():
        jobs.audit(actor_of(request), "view.delete", view.name, {"query": view.query})
        view.delete()
    messages.success(request, f"The view {view.name} is deleted.")
    return redirect("dashboard:run-list")
