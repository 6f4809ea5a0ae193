"""One sentence says what a run does or why it does not: for whom, behind whom, since when and for how long."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils.html import strip_tags

from hitl.models import Kind, Question
from perdure.dashboard.run.sentences import status_sentence
from runs import clock, jobs
from runs.models import Event, Queue, Run, RunStatus, Step, Worker
from runs.testing import advance, freeze

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    with freeze():
        yield


def said(run: Run) -> str:
    """As it is read, with times of day left out."""
    run.refresh_from_db()
    text = strip_tags(str(status_sentence(run, list(run.steps.order_by("id")))))
    return text.replace("&#x27;", "'")


def worker(*versions: tuple[str, str], queues: list[str] | None = None) -> Worker:
    now = clock.now()
    return Worker.objects.create(
        host_id="h", host="h", pid=1, pid_start="1", jobs=[list(one) for one in versions], queues=queues or [],
        started_at=now, seen_at=now, expires_at=now + timedelta(seconds=30),
    )  # fmt: skip


def set_run(run: Run, **fields: Any) -> None:
    Run.objects.filter(pk=run.pk).update(**fields)


def ask(run: Run, **fields: Any) -> Question:
    made = {"run": run, "step": "ask", "kind": Kind.APPROVAL, "title": "Deploy?", "digest": "d"} | fields
    return Question.objects.create(**({"created_at": clock.now()} | made))


def test_a_queued_run_says_that_nobody_works(run: Run) -> None:
    assert said(run) == "Queued: no worker is running. Start one; the run begins by itself."


def test_a_queued_run_says_that_no_worker_has_its_version_or_serves_its_queue(run: Run) -> None:
    worker(("page-nothing", "2"))
    assert said(run) == "Queued: no worker has version 1 of this job. Start one that has."
    worker(("page-nothing", "1"), queues=["gpu"])
    assert said(run) == "Queued: no worker has version 1 of this job. Start one that has."
    worker(("page-nothing", "1"))
    assert said(run) == "Queued: a worker will take it as soon as one has room."


def test_a_run_behind_others_of_its_key_says_how_many_and_which_key(owner: User, team: Group, stranger: User) -> None:
    worker(("page-nothing", "1"))
    started = [
        jobs.start("page-nothing", owner=owner, team=team, concurrency_key="repo-x").run for _ in range(4)
    ]  # fmt: skip
    jobs.start("page-nothing", owner=stranger, concurrency_key="repo-x")
    assert said(started[3]) == "Queued behind 3 runs of key repo-x."
    assert said(started[0]) == "Queued: a worker will take it as soon as one has room."
    set_run(started[0], status=RunStatus.RUNNING, started_at=clock.now())
    assert said(started[1]) == "Queued behind 1 run of key repo-x."
    set_run(started[3], priority=5)
    assert said(started[2]) == "Queued behind 3 runs of key repo-x."


def test_a_paused_and_a_full_queue_are_named(run: Run, owner: User) -> None:
    worker(("page-nothing", "1"))
    queue = Queue.objects.create(name="default", is_paused=True)
    assert said(run) == "Queued: an operator has paused queue default. It goes on when that does."
    queue.is_paused, queue.concurrency = False, 1
    queue.save()
    set_run(jobs.start("page-nothing", owner=owner).run, status=RunStatus.RUNNING)
    assert "queue default has no room, 1 run of it is under way" in said(run)


def test_a_run_for_later_counts_down(run: Run) -> None:
    set_run(run, run_at=clock.now() + timedelta(seconds=40))
    assert said(run).startswith("Starts at ")
    assert said(run).endswith(" UTC, in 40 s.")
    run.refresh_from_db()
    assert "data-until=" in status_sentence(run, [])


@pytest.mark.parametrize(
    ("kind", "what"),
    [("approval", "approval"), ("input", "input"), ("choice", "a choice"), ("tool_call", "approval of a tool call"),
     ("limit", "a decision about its limit")],
)  # fmt: skip
def test_a_question_says_what_is_wanted_of_whom_since_when(run: Run, team: Group, kind: str, what: str) -> None:
    set_run(run, status=RunStatus.WAITING, reason="signal question:1")
    ask(run, kind=kind).groups.add(Group.objects.create(name="<reviewers>"))
    text = said(run)
    assert text.startswith(f"Waiting for {what} by &lt;reviewers&gt; since ")
    assert text.endswith(" UTC.")


def test_further_questions_and_a_deadline_are_told(run: Run) -> None:
    set_run(run, status=RunStatus.WAITING, reason="signal question:1")
    ask(run, deadline=clock.now() + timedelta(hours=1))
    ask(run, step="two")
    text = said(run)
    assert text.startswith("Waiting for approval by the team builders since ")
    assert ", until " in text
    assert text.endswith(", and 1 more.")


@pytest.mark.parametrize("status", [RunStatus.WAITING, RunStatus.RUNNING])
def test_a_retry_says_which_of_how_many_and_counts_down(run: Run, status: str) -> None:
    wake_at = clock.now() + timedelta(seconds=40)
    Step.objects.create(
        run=run, name="fetch", kind="run", status="retrying", attempts=2, failures=2, wake_at=wake_at,
    )  # fmt: skip
    Event.objects.create(
        run=run, sequence=9, type="step:retry", step="fetch", data={"max_attempts": 6}, created_at=clock.now()
    )
    set_run(run, status=status, reason="retry of step fetch")
    assert said(run).startswith("Retry 2 of 5 of step fetch in 40 s")
    advance(timedelta(seconds=30))
    assert said(run).startswith("Retry 2 of 5 of step fetch in 10 s")


def test_a_person_who_paused_or_cancelled_is_named_with_the_reason(run: Run, owner: User) -> None:
    jobs.pause(run.pk, actor=jobs.Actor.of(owner), reason="<b>lunch")
    assert said(run).startswith("Paused by olga at ")
    assert "&lt;b&gt;lunch." in said(run)
    jobs.cancel(run.pk, actor=jobs.Actor.of(owner), reason="too late.")
    assert said(run).startswith("Cancelled by olga at ")
    assert said(run).endswith(": too late.")


def test_a_run_whose_worker_died_says_that_another_takes_over(run: Run) -> None:
    held = worker(("page-nothing", "1"))
    set_run(run, status=RunStatus.RUNNING, lease_worker=held.pk)
    assert said(run) == "Running; 0 steps done."
    advance(timedelta(minutes=1))
    assert said(run).startswith("Its worker is gone. Another one takes over")
