from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from examples import writing
from hitl.models import Question
from runs import clock, jobs
from runs.models import Run
from runs.testing import drain
from tests.servers.installation import Installation
from tests.vendors.fixtures import vendor, vendor_process
from tests.vendors.process import FakeVendor

__all__ = ["vendor", "vendor_process"]

Asked = Callable[..., Question]


@pytest.fixture(scope="module")
def example_server(on_postgresql: bool) -> Iterator[Installation]:
    """One running `manage.py up` for the tests of a module, which leave nothing running."""
    installation = Installation(postgresql=on_postgresql)
    try:
        yield installation.start()
    finally:
        left = installation.remove()
    assert not left, f"processes were left over: {left}"


@pytest.fixture
def here(transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Runs are driven in this process, without pauses, on a clock and a data directory of the test."""
    settings.RUNS_UNLOAD_AFTER = 0.05
    settings.DATA_DIR = tmp_path / "data"
    monkeypatch.setattr(writing, "PIECE_SECONDS", 0.0)
    monkeypatch.setattr(clock, "_offset", timedelta(0))


@pytest.fixture
def team(here: None) -> Group:
    return Group.objects.create(name="night shift")


@pytest.fixture
def sara(team: Group) -> User:
    """Starts the runs."""
    made = User.objects.create_user("sara")
    made.groups.add(team)
    return made


@pytest.fixture
def alice(team: Group) -> User:
    """Of the same team."""
    made = User.objects.create_user("alice")
    made.groups.add(team)
    return made


@pytest.fixture
def asked(sara: User, team: Group) -> Asked:
    """Starts a job for the team and drives it to its first question."""

    def make(job: str, **input: Any) -> Question:
        return question_of(jobs.start(job, input, owner=sara, team=team).run)

    return make


@pytest.fixture
def model(vendor: FakeVendor, settings: Any) -> FakeVendor:
    """The one setting: a vendor on OpenAI's wire in place of the scripted provider."""
    settings.LLM_PROVIDER_URL = f"{vendor.openai_url}#coder-1"
    return vendor


def question_of(run: Run) -> Question:
    """The question that a run asks now, after everything due was driven."""
    drain()
    run.refresh_from_db()
    assert run.status == "waiting", run.error
    return run.questions.get(status="open")
