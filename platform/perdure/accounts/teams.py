"""Who is in which team. A team is a group of Django's; who may change users there may change it here."""

from typing import Any

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet

from runs.jobs import Actor, audit


class TeamError(Exception):
    """A refusal whose text names the remedy; nothing was changed."""


def may_manage(user: Any) -> bool:
    """Whether `user` may add people to teams and take them out: staff that may change users in the admin."""
    return bool(user.is_active and user.is_staff and user.has_perm("auth.change_user"))


def teams_shown_to(user: Any) -> QuerySet[Group]:
    """Every team to who manages them, to others their own; by name."""
    return (Group.objects.all() if may_manage(user) else user.groups.all()).order_by("name")


def add_member(team: Group, username: str, by: Any, actor: Actor) -> User:
    """Raises TeamError for nobody of that name, a member, and a team with rights that `by` has not."""
    _refuse_rights(team, by)
    with transaction.atomic():
        # Locked: of two who add the same person at once, one writes the audit row.
        person = User.objects.select_for_update().filter(username=username, is_active=True).first()
        if person is None:
            raise TeamError(f"Nobody who can sign in is called {username!r}. Check the name; capitals count.")
        if team.user_set.filter(pk=person.pk).exists():
            raise TeamError(f"{username} is in {team.name} already.")
        team.user_set.add(person)
        audit(actor, "team.add", f"team:{team.pk}", {"team": team.name, "user": username})
    return person


def remove_member(team: Group, user_id: int, by: Any, actor: Actor) -> User:
    """Raises TeamError for who is no member, and for a team with rights that `by` has not."""
    _refuse_rights(team, by)
    with transaction.atomic():
        person = User.objects.select_for_update().filter(pk=user_id, groups=team).first()
        if person is None:
            raise TeamError(f"That person is not in {team.name} any more.")
        team.user_set.remove(person)
        audit(actor, "team.remove", f"team:{team.pk}", {"team": team.name, "user": person.username})
    return person


def _refuse_rights(team: Group, by: Any) -> None:
    """Else who may change users could give themselves the rights of any group."""
    rights = team.permissions.values_list("content_type__app_label", "codename")
    if not all(by.has_perm(f"{app}.{name}") for app, name in rights):
        raise TeamError(f"{team.name} gives rights that you do not have. Ask an administrator to change it.")
