"""What a person does on the run page, and what it says of the run's waits and family."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from perdure.dashboard.run.sentences import status_sentence
from runs import clock, jobs
from runs.models import Event, Run, RunStatus, Signal, Step
from runs.testing import drain

SignedIn = Callable[..., Client]


def page_of(client: Client, run: Run, tab: str = "") -> str:
    return client.get(f"/runs/{run.pk}/{tab}").content.decode()


def post(client: Client, run: Run, action: str) -> str:
    return client.post(f"/runs/{run.pk}/{action}/", follow=True).content.decode()


def wait_in(run: Run, name: str, kind: str, *, until: timedelta | None = None, **rest: Any) -> None:
    """The rows of a step that waits, as the engine leaves them."""
    wake_at = clock.now() + until if until else None
    fields = {"attempts": 1, "started_at": clock.now(), "wake_at": wake_at}
    Step.objects.create(run=run, name=name, kind=kind, status="running", **fields, output=rest.pop("output", None))
    number = run.last_sequence + 1
    Event.objects.create(
        run=run, sequence=number, type="step:start", step=name, data={"kind": kind} | rest, created_at=clock.now()
    )
    Run.objects.filter(pk=run.pk).update(status=RunStatus.WAITING, last_sequence=number, due_at=wake_at)
    run.refresh_from_db()


def test_a_run_is_paused_and_resumed_by_buttons(run: Run, member: User, signed_in: SignedIn) -> None:
    client = signed_in(member)
    assert "Pause</a>" in page_of(client, run)
    paused = client.post(f"/runs/{run.pk}/pause/", follow=True).content.decode()
    assert "The run is paused." in paused
    assert "Resume</a>" in paused
    assert "Pause</a>" not in paused
    assert Event.objects.filter(run=run).latest("sequence").data["actor"]["name"] == "mika"
    assert "The run goes on." in client.post(f"/runs/{run.pk}/resume/", follow=True).content.decode()
    run.refresh_from_db()
    assert run.status == RunStatus.QUEUED


def test_a_pause_that_waits_for_a_running_step_is_told_and_can_be_taken_back(
    run: Run, owner: User, signed_in: SignedIn
) -> None:
    Run.objects.update(status=RunStatus.RUNNING)
    client = signed_in(owner)
    page = client.post(f"/runs/{run.pk}/pause/", follow=True).content.decode()
    assert "The run pauses when its running steps end." in page
    assert "Pausing: it holds when its running steps have ended." in page
    client.post(f"/runs/{run.pk}/resume/")
    run.refresh_from_db()
    assert (run.status, run.pause_wanted) == (RunStatus.RUNNING, False)


def test_a_failed_run_is_retried_and_its_stopped_steps_are_shown(
    run: Run, member: User, signed_in: SignedIn, finish: Callable[..., Run]
) -> None:
    steps = [{"name": "one"}, {"name": "two", "status": "failed"}, {"name": "three", "status": "stopped"}]
    finish(run, RunStatus.FAILED, steps=steps, error={"type": "StepFailed", "message": "no", "steps": ["two"]})
    client = signed_in(member)
    page = page_of(client, run, "steps/")
    assert 'data-status="stopped"' in page
    assert "#icon-stopped" in page
    assert 'id="icon-stopped"' in page
    assert (
        "The run goes on from its failed step." in client.post(f"/runs/{run.pk}/retry/", follow=True).content.decode()
    )
    run.refresh_from_db()
    assert (run.status, run.attempt) == (RunStatus.QUEUED, 2)
    assert "cannot be retried" in post(client, run, "retry")


def test_a_run_is_started_again_and_the_new_one_is_shown(run: Run, member: User, signed_in: SignedIn) -> None:
    jobs.cancel(run.pk)
    answer = signed_in(member).post(f"/runs/{run.pk}/again/", follow=True)
    made = Run.objects.exclude(pk=run.pk).get()
    assert answer.redirect_chain == [(f"/runs/{made.pk}/", 302)]
    assert (made.job, made.owner, made.team) == (run.job, member, run.team)


def send(client: Client, run: Run, token: str = "t" * 32, **fields: str) -> Any:
    data = {"signal-token": token} | {f"signal-{name}": value for name, value in fields.items()}
    return client.post(f"/runs/{run.pk}/signal/", data)


def test_a_signal_is_sent_once_by_a_double_click(run: Run, member: User, signed_in: SignedIn) -> None:
    client = signed_in(member)
    token = re.search(r'name="signal-token" value="([^"]+)"', page_of(client, run, "signal/?part"))
    assert token
    for _ in range(2):
        answer = send(client, run, token.group(1), name="approve", payload='{"by": "mika"}')
        assert answer.headers["Location"] == f"/runs/{run.pk}/"
    signal = Signal.objects.get()
    assert (signal.name, signal.payload, signal.actor["name"]) == ("approve", {"by": "mika"}, "mika")
    send(client, run, token.group(1), name="approve")
    assert [one.payload for one in Signal.objects.all()] == [{"by": "mika"}, None]
    assert "approve</span>" in page_of(client, run, "log/")


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""}, {"name": "x" * 201}, {"name": "a", "payload": "{"}, {"name": "a", "payload": "NaN"},
        {"name": "a", "payload": "[" * 100_000}, {"name": "a", "token": "x"}, {"name": "a\0"},
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_signal_that_does_not_fit_is_shown_again_with_what_is_wrong(
    run: Run, member: User, signed_in: SignedIn, fields: dict[str, str]
) -> None:
    answer = send(signed_in(member), run, **fields)
    assert answer.status_code == 400
    assert "errorlist" in answer.content.decode()
    assert not Signal.objects.exists()


def test_an_ended_run_offers_and_takes_no_signal(run: Run, member: User, signed_in: SignedIn) -> None:
    jobs.cancel(run.pk)
    client = signed_in(member)
    assert "Send signal" not in page_of(client, run)
    send(client, run, name="approve")
    assert "cannot be sent a signal" in page_of(client, run)
    assert not Signal.objects.exists()


def test_the_page_says_what_ends_each_wait(run: Run, owner: User, signed_in: SignedIn) -> None:
    child = jobs.start("page-nothing", owner=owner).run
    Run.objects.filter(pk=child.pk).update(parent=run)
    hidden = jobs.start("page-nothing").run
    Run.objects.filter(pk=hidden.pk).update(parent=run)
    wait_in(run, "ok?", "signal", until=timedelta(days=7), signals=["approve", "re fuse"])
    wait_in(run, "part", "child", output={"run": str(child.pk)})
    wait_in(run, "secret part", "child", output={"run": str(hidden.pk)})
    wait_in(run, "gone part", "child", output={"run": str(uuid4())})
    wait_in(run, "nap", "sleep", until=timedelta(hours=1))
    client = signed_in(owner)
    page = page_of(client, run)
    assert '<strong class="mono">approve</strong>' in page
    assert f'href="/runs/{run.pk}/signal/?name=re%20fuse"' in page
    assert page.count(f'href="/runs/{child.pk}/"') == 1
    assert str(hidden.pk) not in page.replace("data-run", "")
    assert len(re.findall(r">a child run\s", page)) == 2
    assert (page.count("times out <time"), page.count("wakes <time")) == (1, 1)
    assert page.count('"status": "waiting"') == 6  # the run's, and each step's
    assert page_of(client, run, "steps/").count('data-status="waiting" href=') == 5
    form = client.get(f"/runs/{run.pk}/signal/?name=re%20fuse").content.decode()
    assert 'value="re fuse"' in form
    assert "Waits for" not in page_of(client, jobs.cancel(run.pk))


@pytest.mark.django_db(transaction=True)
def test_a_run_that_waits_goes_on_by_what_its_page_sends(owner: User, signed_in: SignedIn, settings: Any) -> None:
    settings.RUNS_UNLOAD_AFTER = 0.05
    run = jobs.start("page-asks", owner=owner).run
    drain()
    child = Run.objects.get(parent=run)
    client = signed_in(owner)
    page = page_of(client, run)
    assert [name in page for name in (">approve</strong>", ">refuse</strong>", f"/runs/{child.pk}/")] == [True] * 3
    assert "&quot;olga&quot;" in page_of(client, run, "state/")
    send(client, run, name="refuse", payload='"too late"')
    send(client, child, name="part", payload="7")
    drain()
    assert jobs.get(run.pk).output == ["refuse", "too late", "7"]
    assert "Waits for" not in page_of(client, run)


def test_the_family_is_shown_to_those_who_may_see_them(
    run: Run, owner: User, stranger: User, signed_in: SignedIn
) -> None:
    other = jobs.start("page-nothing", owner=stranger).run
    Run.objects.filter(pk=other.pk).update(parent=run, forked_from=run, forked_step="two")
    mine = jobs.start("page-nothing", owner=owner).run
    Run.objects.filter(pk=mine.pk).update(parent=run, forked_from=other, forked_step="two")
    page = page_of(signed_in(owner), mine)
    assert f'<dt>Parent</dt><dd><a href="/runs/{run.pk}/">' in page
    assert "Forked from" not in page
    assert str(other.pk) not in page
    theirs = page_of(signed_in(stranger), other)
    assert str(run.pk) not in theirs
    parent = page_of(signed_in(owner), run, "tree/")
    assert f'href="/runs/{mine.pk}/"' in parent
    assert str(other.pk) not in parent


def test_a_step_that_waits_is_not_the_one_that_runs(run: Run) -> None:
    run.status = RunStatus.RUNNING
    steps = [Step(name="ok?", kind="signal", status="running"), Step(name="work", kind="run", status="running")]
    assert status_sentence(run, steps) == "Running step 1: work."
