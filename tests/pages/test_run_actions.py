"""An action says what it would do, is done with its reason, and a cancel tells how far it has come."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from hitl.models import Question
from perdure.dashboard.run.cancelling import read_cancelling
from perdure.dashboard.run.previews import preview
from runs import clock, jobs
from runs.models import Audit, EndHook, Event, Run, RunStatus, Step

SignedIn = Callable[..., Client]


def child_of(run: Run, owner: User, **fields: Any) -> Run:
    child = jobs.start("page-nothing", owner=owner).run
    Run.objects.filter(pk=child.pk).update(parent=run, root=run, **fields)
    return child


def said(run: Run, action: str) -> str:
    run.refresh_from_db()
    return " ".join(one for one in preview(run, action) if one)


def test_a_cancel_says_what_stops_with_it(run: Run, owner: User) -> None:
    Run.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING)
    for name in ("one", "two", "three", "four"):
        Step.objects.create(run=run, name=name, kind="run", status="running")
    child_of(run, owner)
    child_of(run, owner, is_detached=True)
    Question.objects.create(run=run, step="ask", kind="approval", title="?", digest="d", created_at=clock.now())
    text = said(run, "cancel")
    assert "one, two, three and 1 more stop, without results on record." in text
    assert "One child run is cancelled too." in text
    assert "One child run that was detached goes on." in text
    assert "Its open question can no longer be answered." in text
    assert "It holds when steps one, two, three and 1 more have ended." in said(run, "pause")


def test_a_retry_says_which_step_is_tried_again(run: Run, finish: Callable[..., Run]) -> None:
    steps = [{"name": "one"}, {"name": "two", "status": "failed"}]
    finish(run, RunStatus.FAILED, steps=steps, error={"type": "StepFailed", "message": "no", "steps": ["two"]})
    assert said(run, "retry").startswith("Step two is tried again. One recorded step is not done again.")
    assert "2 steps, " in said(run, "delete")
    assert "begins with the same input" in said(run, "again")


@pytest.mark.parametrize(("action", "status"), [("pause", "waiting"), ("resume", "paused"), ("retry", "failed")])
def test_a_reason_is_kept_with_who_gave_it_and_from_where(
    action: str, status: str, run: Run, member: User, signed_in: SignedIn
) -> None:
    Run.objects.filter(pk=run.pk).update(status=status)
    client = signed_in(member, REMOTE_ADDR="192.0.2.7")
    assert client.post(f"/runs/{run.pk}/{action}/", {"reason": "full\0"}).status_code == 400
    client.post(f"/runs/{run.pk}/{action}/", {"reason": " the disk is full "})
    row = Audit.objects.get(target=str(run.pk), action=f"run.{action}")
    assert (row.data["reason"], row.actor_name, row.address) == ("the disk is full", "mika", "192.0.2.7")
    assert Event.objects.get(run=run, type=f"run:{action}").data["reason"] == "the disk is full"


def test_the_reason_of_a_deletion_outlives_the_run(run: Run, member: User, signed_in: SignedIn) -> None:
    jobs.cancel(run.pk)
    signed_in(member).post(f"/runs/{run.pk}/delete/", {"reason": "no longer needed"})
    assert Audit.objects.get(action="run.delete").data["reason"] == "no longer needed"


def test_a_cancel_tells_how_far_it_has_come(run: Run, owner: User, member: User, signed_in: SignedIn) -> None:
    assert read_cancelling(run) is None
    children = [child_of(run, owner), child_of(run, owner)]
    child_of(run, owner, is_detached=True)
    jobs.cancel(run.pk, actor=jobs.Actor.of(member), reason="<b>wrong")
    run.refresh_from_db()
    found = read_cancelling(run)
    assert found is not None
    assert [(stage.label, stage.is_done) for stage in found.stages][:2] == [("Requested", True), ("Acknowledged", True)]
    assert found.stages[0].text == "By mika. Reason: <b>wrong"
    page = signed_in(owner).get(f"/runs/{run.pk}/").content.decode()
    assert "&lt;b&gt;wrong" in page
    for child in children:
        Run.objects.filter(pk=child.pk).update(status=RunStatus.CANCELLED)
    Run.objects.filter(pk=run.pk).update(end_hook=EndHook.DUE)
    run.refresh_from_db()
    found = read_cancelling(run)
    assert found is not None
    assert (found.is_over, found.stages[2].label) == (False, "Stopping")
    assert found.stages[2].text == "2 of 2 child runs have ended. The clean-up of its job (on_end) has not run yet."
    assert 'data-poll="2"' in signed_in(owner).get(f"/runs/{run.pk}/").content.decode()
    Run.objects.filter(pk=run.pk).update(end_hook=EndHook.DONE)
    run.refresh_from_db()
    found = read_cancelling(run)
    assert found is not None
    assert (found.is_over, found.stages[2].label) == (True, "Stopped")
