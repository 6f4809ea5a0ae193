"""A due run whose queue no live worker serves says so: on the run, in the system check, in the invariants."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from runs import checks, clock, jobs
from runs.maintenance.invariants import find_violations
from runs.maintenance.stranded import Unserved, count_stranded, count_unserved, mark
from runs.models import Run, Worker
from runs.testing import advance, drain, frozen_worker

MINUTE = timedelta(seconds=61)


@pytest.fixture
def run() -> Run:
    """Due, in a queue of its own."""
    return jobs.start(jobs.job("render", queue="gpu")(lambda step: None)).run


@contextmanager
def worker(*queues: str, version: str = "1") -> Iterator[Worker]:
    made = frozen_worker()
    Worker.objects.filter(id=made.id).update(jobs=[["render", version]], queues=list(queues))
    yield made
    Worker.objects.filter(id=made.id).delete()


def reason_of(run: Run) -> str:
    mark()
    return jobs.get(run.id).reason


def test_it_says_so_after_a_minute_and_until_a_worker_serves_it(run: Run) -> None:
    with worker("mail", "night"):
        assert reason_of(run) == ""
        advance(MINUTE)
        assert reason_of(run) == "no_worker_for_queue"
        assert (count_unserved(), count_stranded()) == ([Unserved("gpu", 1)], [])
        assert [(one.invariant, one.run) for one in find_violations()] == [("no_worker_for_queue", run.id)]
        (warning,) = checks.check_versions(databases=["default"])
        assert warning.id == "runs.W004"
        assert "manage.py worker --queues gpu" in str(warning.hint)
        with worker("gpu"):
            assert (reason_of(run), count_unserved()) == ("", [])
    with worker():
        assert reason_of(run) == ""


def test_the_worker_that_serves_it_has_to_have_the_version(run: Run) -> None:
    advance(MINUTE)
    with worker("mail"), worker("gpu", version="2"):
        assert reason_of(run) == "no_worker_for_queue"
    with worker("gpu", version="2"):
        assert reason_of(run) == "no_worker_for_version"


def test_one_reason_follows_the_other(run: Run) -> None:
    advance(MINUTE)
    assert reason_of(run) == "no_worker_for_version"
    with worker("mail"):
        assert reason_of(run) == "no_worker_for_queue"
    assert reason_of(run) == "no_worker_for_version"


def test_the_reason_goes_with_the_claim(run: Run) -> None:
    advance(MINUTE)
    with worker("mail"):
        assert reason_of(run) == "no_worker_for_queue"
    drain()
    assert (jobs.get(run.id).status, jobs.get(run.id).reason) == ("completed", "")


def test_a_run_that_is_not_due_has_no_reason(run: Run) -> None:
    Run.objects.filter(id=run.id).update(due_at=clock.now() + timedelta(hours=1))
    advance(MINUTE)
    with worker("mail"):
        assert reason_of(run) == ""
