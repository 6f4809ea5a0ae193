"""People for tests."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group


def member(name: str, *teams: str) -> Any:
    """A user of these teams; the same one for the same name."""
    user, _ = get_user_model().objects.get_or_create(username=name)
    user.groups.set([Group.objects.get_or_create(name=team)[0] for team in teams])
    return user
