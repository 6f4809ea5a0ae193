"""The page of one's teams: who is in them and what each may do; who may changes them here."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from perdure.accounts import teams
from perdure.accounts.teams import TeamError
from perdure.dashboard.access import actor_of

TEAMS_SHOWN = 100
MEMBERS_SHOWN = 200


@dataclass(frozen=True)
class Member:
    """A person, and in words what they may do in the team."""

    person: User
    may: str


@dataclass(frozen=True)
class TeamCard:
    """`rights` counts what the team's members get beyond its runs; `more` those members that are not shown."""

    team: Group
    members: list[Member]
    more: int
    rights: int
    is_mine: bool


@require_safe
@login_required
@never_cache
def show_teams(request: HttpRequest) -> HttpResponse:
    """The teams of who is signed in; all of them for who may change them."""
    mine = set(request.user.groups.values_list("pk", flat=True))
    shown = teams.teams_shown_to(request.user).prefetch_related("permissions")
    cards = [_card(team, mine) for team in shown[:TEAMS_SHOWN]]
    context = {"cards": cards, "may_manage": teams.may_manage(request.user), "all": shown.count(), "most": TEAMS_SHOWN}
    return render(request, "dashboard/settings/teams.html", context)


@require_POST
@login_required
def add_member(request: HttpRequest, team_id: int) -> HttpResponse:
    """Put a person into a team."""
    name = request.POST.get("name", "").replace("\0", "").strip()[:150]

    def add(team: Group) -> str:
        person = teams.add_member(team, name, request.user, actor_of(request))
        return f"{person.username} is in {team.name} now, and sees its runs, questions and schedules."

    return _change(request, team_id, add)


@require_POST
@login_required
def remove_member(request: HttpRequest, team_id: int) -> HttpResponse:
    """Take a person out of a team."""
    user_id = request.POST.get("user", "")

    def remove(team: Group) -> str:
        found = int(user_id) if user_id.isascii() and user_id.isdigit() and len(user_id) < 18 else 0
        person = teams.remove_member(team, found, request.user, actor_of(request))
        return f"{person.username} is not in {team.name} any more. Runs that they started stay theirs."

    return _change(request, team_id, remove)


def _change(request: HttpRequest, team_id: int, change: Callable[[Group], str]) -> HttpResponse:
    team = teams.teams_shown_to(request.user).filter(pk=team_id).first()
    if team is None:
        raise Http404("There is no such team, or it is not yours. Look at your teams.")
    if not teams.may_manage(request.user):
        raise PermissionDenied("Teams are changed by staff that may change users. Ask an administrator.")
    try:
        messages.success(request, change(team))
    except TeamError as exc:
        messages.error(request, str(exc))
    return redirect("dashboard:settings-teams")


def _card(team: Group, mine: set[int]) -> TeamCard:
    people = team.user_set.order_by("username")
    members = [Member(person, _may(person)) for person in people[:MEMBERS_SHOWN]]
    more = people.count() - len(members) if len(members) == MEMBERS_SHOWN else 0
    return TeamCard(team, members, more, len(team.permissions.all()), team.pk in mine)


def _may(person: User) -> str:
    if not person.is_active:
        return "cannot sign in"
    if person.is_superuser:
        return "administrator: everything, in every team"
    if teams.may_manage(person):
        return "staff: changes teams, and what members may"
    return "staff: the admin as far as their rights go, and what members may" if person.is_staff else "member"
