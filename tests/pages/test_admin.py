"""The admin: everything is shown to those with permission, and changed only through the engine."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils.html import escape

from runs import clock, jobs
from runs.admin.reasons import EFFECTS
from runs.models import (
    Attempt,
    Audit,
    Checkpoint,
    Event,
    Preset,
    Run,
    RunStatus,
    Schedule,
    Signal,
    State,
    Step,
    Worker,
)
from runs.testing import temporary_jobs

SignedIn = Callable[..., Client]


@pytest.fixture
def rows(run: Run, finish: Callable[..., Run]) -> dict[type[Any], Any]:
    """One row of every model of the engine, with a secret where doors mask it."""
    now = clock.now()
    finish(run, output={"key": "hunter2"}, secrets={"output": [["key"]]})
    made: dict[type[Any], Any] = {
        Run: run,
        Step: Step.objects.create(
            run=run, name="log-in", kind="run", status="completed", output={"token": "hunter2"}, secrets=[["token"]]
        ),
        Attempt: Attempt.objects.create(run=run, step_name="log-in", number=1, epoch=1, started_at=now),
        Checkpoint: Checkpoint.objects.create(
            run=run, step_name="log-in", number=1, attempt=1, state="hunter2", secrets=[[]], size=9, created_at=now
        ),
        Event: Event.objects.filter(run=run).first(),
        Signal: Signal.objects.create(run=run, name="approve", payload={"by": "olga"}, created_at=now),
        State: State.objects.create(run=run, value={"files": 3}),
        Audit: Audit.objects.create(at=now, actor_kind="user", action="run.start", target=str(run.pk)),
        Worker: Worker.objects.create(
            host_id="h", host="here", pid=1, pid_start="1", started_at=now, seen_at=now, expires_at=now
        ),
        Schedule: Schedule.objects.create(
            name="nightly",
            job="log-in",
            input={"key": "hunter2"},
            secrets=[["key"]],
            cron="0 3 * * *",
            next_at=now,
            created_at=now,
            changed_at=now,
        ),
        Preset: Preset.objects.create(
            name="as olga", job="log-in", input={"key": "hunter2"}, secrets=[["key"]], created_at=now, changed_at=now
        ),
    }
    return made


def address_of(model: type[Any], *parts: Any) -> str:
    return "/".join(["/admin/runs", model._meta.model_name, *map(str, parts), ""])


def test_every_model_of_the_engine_is_registered() -> None:
    assert set(apps.get_app_config("runs").get_models()) <= set(admin.site._registry)


def test_every_row_is_shown_masked_and_cannot_be_edited(
    rows: dict[type[Any], Any], administrator: User, signed_in: SignedIn
) -> None:
    client = signed_in(administrator)
    for model, row in rows.items():
        assert client.get(address_of(model)).status_code == 200
        page = client.get(address_of(model, row.pk, "change"))
        assert page.status_code == 200
        assert "hunter2" not in page.content.decode()
        assert client.post(address_of(model, row.pk, "change"), {}).status_code == 403
        assert client.get(address_of(model, "add")).status_code == 403
        assert client.post(address_of(model, row.pk, "delete"), {"post": "yes"}).status_code == 403
        assert client.get(address_of(model) + "?q=log").status_code == 200
    assert "***" in client.get(address_of(Run, rows[Run].pk, "change")).content.decode()


def test_the_admin_is_closed_to_those_who_are_not_staff(run: Run, owner: User, signed_in: SignedIn) -> None:
    for client in (Client(), signed_in(owner)):
        assert client.get(address_of(Run)).status_code == 302


def act(client: Client, action: str, *runs: Run, **fields: str) -> str:
    chosen = {"action": action, "_selected_action": [str(r.pk) for r in runs]}
    answer = client.post(address_of(Run), chosen | fields, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_runs_are_cancelled_in_the_name_of_the_administrator(
    run: Run, administrator: User, signed_in: SignedIn
) -> None:
    ended = jobs.start("page-nothing").run
    jobs.cancel(ended.pk)
    page = act(signed_in(administrator), "cancel_runs", run, ended, reason="wrong input")
    assert "1 cancelled." in page
    assert "Start a new run instead" in page
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    assert run.reason == "wrong input"
    assert Event.objects.get(run=run, type="run:cancel").data["actor"]["name"] == "root"


@pytest.mark.parametrize("verb", ["Pause", "Resume", "Retry", "Cancel", "Delete"])
def test_each_action_says_what_it_will_do_and_asks_why(
    verb: str, run: Run, administrator: User, signed_in: SignedIn
) -> None:
    page = act(signed_in(administrator), f"{verb.lower()}_runs", run)
    assert f"{verb} 1 run" in page
    assert escape(EFFECTS[verb]) in page
    run.refresh_from_db()
    assert run.status == RunStatus.QUEUED


@pytest.mark.parametrize("reason", [None, "  ", "x" * 201, "nul\0"])
def test_nothing_is_cancelled_without_a_reason(
    reason: str | None, run: Run, administrator: User, signed_in: SignedIn
) -> None:
    page = act(signed_in(administrator), "cancel_runs", run, **({} if reason is None else {"reason": reason}))
    assert "Cancel 1 run" in page
    assert str(run.pk) in page
    assert ("nothing was done" in page) is (reason is not None)
    run.refresh_from_db()
    assert run.status == RunStatus.QUEUED


def test_runs_are_paused_and_retried_in_the_name_of_the_administrator(
    run: Run, administrator: User, signed_in: SignedIn, finish: Callable[..., Run]
) -> None:
    failed = finish(jobs.start("page-nothing").run, RunStatus.FAILED)
    client = signed_in(administrator)
    page = act(client, "retry_runs", run, failed, reason="mended")
    assert "1 retried." in page
    assert "is no failed run and cannot be retried" in page
    assert "2 paused." in act(client, "pause_runs", run, failed, reason="deploying")
    assert set(Run.objects.values_list("status", "attempt")) == {("paused", 1), ("paused", 2)}
    assert {event.data["actor"]["name"] for event in Event.objects.filter(type="run:pause")} == {"root"}
    assert "2 resumed." in act(client, "resume_runs", run, failed, reason="deployed")
    assert {event.data["reason"] for event in Event.objects.filter(type="run:resume")} == {"deployed"}


def test_runs_are_moved_to_the_newest_version_of_their_job(run: Run, administrator: User, signed_in: SignedIn) -> None:
    with temporary_jobs():
        jobs.job("page-nothing", version="next")(lambda step: None)
        stays, moves = jobs.start("page-nothing", version="next").run, jobs.start("page-nothing", version="1").run
        page = act(signed_in(administrator), "move_runs", stays, moves)
    assert "1 moved." in page
    assert "is the one that the run has" in page
    moves.refresh_from_db()
    assert moves.job_version == "next"


def test_the_state_of_a_run_is_shown(rows: dict[type[Any], Any], administrator: User, signed_in: SignedIn) -> None:
    page = signed_in(administrator).get(address_of(Run, rows[Run].pk, "change")).content.decode()
    assert "&quot;files&quot;: 3" in page


def test_only_ended_runs_are_deleted_and_the_trace_stays(run: Run, administrator: User, signed_in: SignedIn) -> None:
    ended = jobs.start("page-nothing").run
    jobs.cancel(ended.pk)
    page = act(signed_in(administrator), "delete_runs", run, ended, reason="a test")
    assert "1 deleted." in page
    assert "wait for its end, then delete it" in page
    assert list(Run.objects.all()) == [run]
    assert Audit.objects.filter(action="run.delete", target=str(ended.pk), actor_name="root").exists()


def test_staff_who_may_only_look_cannot_cancel_or_delete(run: Run, member: User, signed_in: SignedIn) -> None:
    member.is_staff = True
    member.save()
    member.user_permissions.add(Permission.objects.get(codename="view_run"))
    client = signed_in(member)
    assert client.get(address_of(Run)).status_code == 200
    for action in (
        "pause_runs",
        "resume_runs",
        "retry_runs",
        "move_runs",
        "cancel_runs",
        "delete_runs",
        "delete_selected",
    ):
        act(client, action, run, reason="why not")
    run.refresh_from_db()
    assert run.status == RunStatus.QUEUED


@pytest.mark.parametrize("path", ["auth/user/", "auth/group/", "auth/user/add/", "auth/group/add/"])
def test_people_and_teams_are_managed_in_the_same_look(path: str, administrator: User, signed_in: SignedIn) -> None:
    answer = signed_in(administrator).get(f"/admin/{path}")
    assert answer.status_code == 200
    assert "unfold" in answer.content.decode()


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("queued", {"Pause", "Cancel", "Move to the newest version"}),
        ("running", {"Pause", "Cancel"}),
        ("paused", {"Resume", "Cancel", "Move to the newest version"}),
        ("failed", {"Retry", "Delete"}),
        ("completed", {"Delete"}),
    ],
)
def test_a_run_offers_what_makes_sense_of_it(
    status: str, offered: set[str], run: Run, administrator: User, signed_in: SignedIn
) -> None:
    Run.objects.filter(pk=run.pk).update(status=status)
    page = signed_in(administrator).get(address_of(Run, run.pk, "change")).content.decode()
    shown = set(re.findall(r'name="action" value="\w+">([^<]+)</button>', page))
    assert shown == offered
    assert f'href="/runs/{run.pk}/"' in page


def test_who_may_only_look_is_offered_nothing(run: Run, member: User, signed_in: SignedIn) -> None:
    member.is_staff = True
    member.save()
    member.user_permissions.add(Permission.objects.get(codename="view_run"))
    page = signed_in(member).get(address_of(Run, run.pk, "change")).content.decode()
    assert 'name="action"' not in page


def test_an_error_is_a_sentence_with_its_traceback_below(
    run: Run, administrator: User, signed_in: SignedIn, finish: Callable[..., Run]
) -> None:
    error = {"type": "StepFailed", "message": "the host refused", "traceback": "line 1\nline 2"}
    finish(run, RunStatus.FAILED, error=error)
    page = signed_in(administrator).get(address_of(Run, run.pk, "change")).content.decode()
    assert "<p>StepFailed: the host refused</p>" in page
    assert "line 1\nline 2" in page


def test_the_list_says_why_in_words_and_when_in_a_line(run: Run, administrator: User, signed_in: SignedIn) -> None:
    Run.objects.filter(pk=run.pk).update(reason="no_worker_for_queue")
    page = signed_in(administrator).get(address_of(Run)).content.decode()
    assert "No worker serves its queue" in page
    assert re.search(r'<time datetime="[^"]+" title="20\d\d-[^"]+">just now</time>', page)


def test_an_empty_list_says_so_and_offers_what_helps(administrator: User, signed_in: SignedIn) -> None:
    client = signed_in(administrator)
    empty, searched = (
        client.get(address_of(Run) + query).content.decode() for query in ("", "?q=nothing-of-this-name")
    )
    assert "Each run will be listed here." in empty
    assert "No run fits the search and the filters." in searched
    assert "Show all" in searched
    assert "Add queue" in client.get("/admin/runs/queue/").content.decode()
