from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from flows.llm.models import ProviderProfile
from runs import clock
from runs.models import Attempt, Run, Step
from runs.testing import temporary_jobs
from tests.vendors.fixtures import vendor, vendor_process

__all__ = ["vendor", "vendor_process"]

Profile = Callable[..., ProviderProfile]


@pytest.fixture(autouse=True)
def _own_world(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Jobs and time of one test: what it registers and moves is gone afterwards."""
    monkeypatch.setattr(clock, "_offset", timedelta(0))
    ProviderProfile.objects.all().delete()  # the first test of all finds the one that a migration made
    with temporary_jobs():
        yield


@pytest.fixture
def profile() -> Profile:
    """Makes a profile, by default of the scripted provider with these rules."""

    def make(id: str = "default", *, rules: list[dict[str, Any]] | None = None, **fields: Any) -> ProviderProfile:
        values = {"kind": "scripted", "updated_at": clock.now()} | fields
        if rules is not None:
            values["extra"] = {"scenario": {"rules": rules}}
        made, _ = ProviderProfile.objects.update_or_create(id=id, defaults=values)
        return made

    return make


def usages(run: Run, step: str) -> list[tuple[str, dict[str, Any] | None]]:
    """Outcome and usage of each attempt of a step that has a row, in order."""
    rows = Attempt.objects.filter(run=run, step_name=step).order_by("number")
    return [(row.outcome, row.usage) for row in rows]


def steps(run: Run) -> dict[str, str]:
    return dict(Step.objects.filter(run=run).order_by("id").values_list("name", "status"))
