"""The page of a run says what the one who looks at it can do next."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from hitl.models import Question
from perdure.dashboard.run.next_step import NOTHING, next_said
from runs import clock
from runs.models import Run, RunStatus, Worker


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("running", NOTHING), ("paused", "Resume it when it may go on."),
        ("completed", "Done: read the result, or start another."), ("failed", "Look at why it failed, then retry it."),
        ("cancelled", "It does nothing more. Start it again, or fork it from a step."),
    ],
)  # fmt: skip
def test_each_status_has_its_next_step(status: str, said: str, run: Run, owner: User) -> None:
    run.status = status
    assert next_said(run, owner, "overview") == said


def test_a_queued_run_needs_a_worker_or_nothing(run: Run, owner: User) -> None:
    assert next_said(run, owner, "overview").startswith("Start a worker")
    now = clock.now()
    Worker.objects.create(
        host_id="h", host="h", pid=1, pid_start="1", jobs=[[run.job, run.job_version]], started_at=now, seen_at=now,
        expires_at=now + timedelta(hours=1),
    )  # fmt: skip
    assert next_said(run, owner, "overview") == NOTHING


def test_a_question_is_answered_by_those_who_are_asked(run: Run, owner: User, member: User) -> None:
    run.status, run.reason = RunStatus.WAITING, "signal question:1"
    Question.objects.create(run=run, step="ask", kind="approval", title="?", digest="d", created_at=clock.now())
    assert next_said(run, member, "overview") == "Answer the question below."
    assert next_said(run, member, "log") == "Answer the question on the Overview tab."
    assert next_said(run, owner, "overview") == "Nothing to do for you: others are asked."


def test_who_waits_for_a_signal_is_told_to_send_it(run: Run, owner: User) -> None:
    run.status, run.reason = RunStatus.WAITING, "signal approve"
    assert next_said(run, owner, "overview") == "Send the signal when it is time, with the link below."
    run.reason = "sleep over night"
    assert next_said(run, owner, "overview") == NOTHING
