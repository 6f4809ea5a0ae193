"""What transactional steps write in these tests, and what a run has recorded of them."""

from typing import Any

from django.contrib.auth.models import Group

from tests.engine.driver import types


def make(name: str = "made") -> str:
    return Group.objects.create(name=name).name


def groups() -> list[str]:
    return sorted(Group.objects.values_list("name", flat=True))


def step_types(run: Any) -> list[str]:
    return [one for one in types(run) if one.startswith("step:")]
