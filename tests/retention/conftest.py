"""Runs that really ran, and clocks that tests move."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from runs import clock, jobs
from runs.models import Run
from runs.testing import advance, drain, temporary_jobs


@pytest.fixture(autouse=True)
def _own_world(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.RUNS_UNLOAD_AFTER = 0.05
    monkeypatch.setattr(clock, "_offset", timedelta(0))
    with temporary_jobs():
        yield


@pytest.fixture
def work(transactional_db: None) -> jobs.Job:
    """Two steps, a state and a consumed signal; it fails when it is told to, after its steps."""

    @jobs.job("work")
    async def work(step: jobs.StepContext, order: dict[str, Any]) -> str:
        await step.run("first", lambda: "one")
        await step.run("second", lambda: "two")
        step.state.set({"stage": 2})
        if order.get("wait"):
            await step.wait_for_signal("go")
        if order.get("fail"):
            raise ValueError("no luck")
        return "done"

    return work


@pytest.fixture
def ended(work: jobs.Job) -> Callable[..., Run]:
    """A run of `work` that ended `ago`; nothing else is due meanwhile."""

    def make(ago: timedelta = timedelta(), **order: Any) -> Run:
        run = jobs.start(work, order).run
        drain()
        advance(ago)
        run.refresh_from_db()
        assert run.has_ended
        return run

    return make


@pytest.fixture
def cleaner(db: None) -> User:
    """Staff that may delete runs."""
    user = User.objects.create_user("clara", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["delete_run", "view_run"]))
    return user
