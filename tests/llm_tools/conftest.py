"""A team whose members approve tool calls, and runs that perform them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from hitl.models import Question
from runs import clock, jobs
from runs.models import Run
from runs.testing import drain
from tests.llm_tools import jobs as tool_jobs
from tests.vendors.fixtures import vendor, vendor_process

__all__ = ["vendor", "vendor_process"]

Performs = Callable[..., Run]


@pytest.fixture(autouse=True)
def _fresh(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RUNS_UNLOAD_AFTER = 0.05
    monkeypatch.setattr(clock, "_offset", timedelta(0))
    tool_jobs.called.clear()


@pytest.fixture
def team(db: None) -> Group:
    return Group.objects.create(name="night shift")


@pytest.fixture
def alice(team: Group) -> User:
    made = User.objects.create_user("alice")
    made.groups.add(team)
    return made


@pytest.fixture
def performs(transactional_db: None, team: Group) -> Performs:
    """Starts and drives a run of the team whose model asked for these calls, each `(tool, arguments)`."""

    def make(*calls: tuple[str, dict[str, Any]], job: str = "perform-calls", **options: Any) -> Run:
        asked = [{"id": f"call-{n}", "name": name, "arguments": given} for n, (name, given) in enumerate(calls, 1)]
        run = jobs.start(job, {"calls": asked, **options}, team=team).run
        drain()
        return jobs.get(run.id)

    return make


def driven(run: Run) -> Run:
    drain()
    return jobs.get(run.id)


def question_of(run: Run) -> Question:
    return Question.objects.get(run=run, status="open")


def contents(run: Run) -> list[str]:
    assert run.status == "completed", (run.status, run.reason, run.error)
    return [message["content"] for message in run.output]
