"""Those who answer in a rehearsal: as many as any question wants, and everybody that a flow puts one to."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from flows.agents.spec import Flow, Step

TESTER = "tester"
_GROUP = "group:"


def invite(flows: Iterable[Flow]) -> None:
    """Make the users and groups that steps of these flows put questions to."""
    for name in sorted({name for flow in flows for step in _all(flow.steps) if step.ask for name in step.ask.to}):
        if name.startswith(_GROUP):
            Group.objects.get_or_create(name=name.removeprefix(_GROUP))
        else:
            get_user_model()._default_manager.get_or_create(username=name)


def tester(number: int) -> Any:
    """An administrator: they may answer every question, each once."""
    return get_user_model()._default_manager.get_or_create(
        username=f"{TESTER}-{number}", defaults={"is_superuser": True, "is_staff": True}
    )[0]


def _all(steps: Iterable[Step]) -> Iterable[Step]:
    for step in steps:
        yield step
        yield from step.parallel
