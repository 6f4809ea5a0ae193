from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from pydantic import BaseModel

from runs import clock, jobs
from runs.models import Attempt, Audit, Checkpoint, Event, Run, RunStatus, Step, Worker
from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch


def test_cancel_ends_the_run_and_notes_who_and_why(api: ApiClient, run: Run) -> None:
    shown = api.send(f"/api/runs/{run.id}/cancel/", {"reason": "wrong folder"}).json()
    assert (shown["status"], shown["reason"]) == ("cancelled", "wrong folder")
    assert shown["finished_at"].endswith("Z")
    event = Event.objects.filter(run=run).last()
    assert event is not None
    assert (event.type, event.data["reason"], event.data["actor"]["kind"]) == ("run:cancel", "wrong folder", "token")


def test_cancel_needs_no_body(api: ApiClient, run: Run) -> None:
    assert api.send(f"/api/runs/{run.id}/cancel/").json()["status"] == "cancelled"


def test_an_ended_run_is_not_cancelled_again(api: ApiClient, run: Run, nothing_changes: Watch) -> None:
    api.send(f"/api/runs/{run.id}/cancel/")
    with nothing_changes():
        error_of(api.send(f"/api/runs/{run.id}/cancel/"), 409, "run_already_ended")


@pytest.mark.parametrize("body", [{"reason": 5}, {"reason": "x" * 501}, {"why": "x"}, []])
def test_a_bad_reason_cancels_nothing(api: ApiClient, run: Run, nothing_changes: Watch, body: Any) -> None:
    with nothing_changes():
        error_of(api.send(f"/api/runs/{run.id}/cancel/", body), 400, "invalid_request")


def test_only_an_ended_run_is_deleted(api: ApiClient, run: Run, nothing_changes: Watch) -> None:
    with nothing_changes():
        error_of(api.delete(f"/api/runs/{run.id}/"), 409, "run_not_finished")
    jobs.cancel(run.id)
    response = api.delete(f"/api/runs/{run.id}/")
    assert (response.status_code, response.content) == (204, b"")
    error_of(api.get(f"/api/runs/{run.id}/"), 404, "run_not_found")
    assert not Event.objects.exists()
    assert Audit.objects.filter(action="run.delete", target=str(run.id)).exists()


def test_only_a_paused_run_is_resumed(api: ApiClient, run: Run, nothing_changes: Watch) -> None:
    with nothing_changes():
        error_of(api.send(f"/api/runs/{run.id}/resume/"), 409, "run_not_paused")
    Run.objects.update(status=RunStatus.PAUSED, reason="crash_loop", due_at=None)
    with nothing_changes():
        error_of(api.send(f"/api/runs/{run.id}/resume/", {"x": 1}), 400, "invalid_request")
    assert api.send(f"/api/runs/{run.id}/resume/").json()["status"] == "queued"


def test_steps_are_listed_in_order_with_secrets_as_stars(api: ApiClient, run: Run) -> None:
    now = clock.now()
    for number in range(5):
        output = {"key": "hush", "open": number}
        Step.objects.create(run=run, name=f"step-{number}", kind="run", position=number, status="completed",
                            attempts=1, output=output, secrets=[["key"]], started_at=now, finished_at=now)  # fmt: skip
        Attempt.objects.create(run=run, step_name=f"step-{number}", number=1, epoch=1, started_at=now)
    first = api.get(f"/api/runs/{run.id}/steps/?limit=3").json()
    rest = api.get(first["next"]).json()
    assert [step["name"] for step in first["results"] + rest["results"]] == [f"step-{number}" for number in range(5)]
    assert first["results"][0] == {
        "name": "step-0", "status": "completed", "attempts": 1, "output": {"key": "***", "open": 0}, "error": None,
        "started_at": now.isoformat().replace("+00:00", "Z"), "finished_at": now.isoformat().replace("+00:00", "Z"),
        "history": [{
            "number": 1, "outcome": "open", "started_at": now.isoformat().replace("+00:00", "Z"), "ended_at": None,
            "error": None, "usage": None,
        }],
    }  # fmt: skip
    assert rest["next"] is None
    assert api.get(rest["previous"]).json()["results"] == first["results"]


def test_attempts_show_what_each_of_them_used(api: ApiClient, run: Run) -> None:
    now = clock.now()
    Step.objects.create(run=run, name="ask", kind="run", status="completed", attempts=2, started_at=now)
    for number, outcome in ((2, "completed"), (1, "failed")):
        Attempt.objects.create(run=run, step_name="ask", number=number, epoch=1, started_at=now, outcome=outcome,
                               usage={"input_tokens": 10 * number})  # fmt: skip
    step = api.get(f"/api/runs/{run.id}/steps/").json()["results"][0]
    shown = [(one["number"], one["outcome"], one["usage"]) for one in step["history"]]
    assert shown == [(1, "failed", {"input_tokens": 10}), (2, "completed", {"input_tokens": 20})]


def test_checkpoints_are_listed_with_secrets_as_stars(api: ApiClient, run: Run) -> None:
    Checkpoint.objects.create(run=run, step_name="count", number=1, attempt=1, state=["hush", 2], secrets=[[0]],
                              size=10, created_at=clock.now())  # fmt: skip
    (shown,) = api.get(f"/api/runs/{run.id}/checkpoints/").json()["results"]
    assert (shown["step"], shown["number"], shown["state"], shown["size"]) == ("count", 1, ["***", 2], 10)


@pytest.mark.parametrize("door", ["steps", "checkpoints", "signals"])
@pytest.mark.parametrize("query", ["cursor=x", "limit=0", "after=5"])
def test_lists_of_a_run_refuse_what_they_do_not_know(api: ApiClient, run: Run, door: str, query: str) -> None:
    error_of(api.get(f"/api/runs/{run.id}/{door}/?{query}"), 400, "invalid_request")


def test_the_output_of_a_run_is_shown_without_its_secrets(api: ApiClient, run: Run) -> None:
    error = {"type": "ValueError", "message": "no", "traceback": "..."}
    progress = {"current": 1, "total": 3, "message": "going"}
    Run.objects.update(
        output={"token": "hush", "n": 1}, secrets={"output": [["token"]]}, error=error, progress=progress
    )
    shown = api.get(f"/api/runs/{run.id}/").json()
    assert (shown["output"], shown["error"], shown["progress"]) == ({"token": "***", "n": 1}, error, progress)


def test_jobs_are_listed_with_their_schemas(api: ApiClient) -> None:
    body = api.get("/api/jobs/").json()
    assert body.keys() == {"results", "next", "previous"}
    echo = next(job for job in body["results"] if job["name"] == "echo")
    assert echo == api.get("/api/jobs/echo/").json() == api.get("/api/jobs/echo/?version=1").json()
    assert echo["input_schema"]["properties"]["text"] == {"type": "string", "default": "ok", "title": "Text"}
    assert (echo["version"], echo["description"]) == ("1", "Return the text.")
    error_of(api.get("/api/jobs/echo/?version=9"), 404, "job_not_found")
    error_of(api.get("/api/jobs/no-such-job/"), 404, "job_not_found")
    error_of(api.get("/api/jobs/?x=1"), 400, "invalid_request")


def test_a_job_s_schema_describes_what_starting_it_takes(api: ApiClient) -> None:
    class Found(BaseModel):
        input_schema: dict[str, Any]

    found = Found.model_validate(api.get("/api/jobs/log-in/").json())
    assert found.input_schema["required"] == ["user", "password"]
    assert found.input_schema["properties"]["password"]["format"] == "password"


def test_live_workers_are_listed(as_admin: ApiClient, alice: User) -> None:
    now = clock.now()
    common = {"host_id": "h", "host": "box", "pid_start": "1", "version": "1.0", "started_at": now, "seen_at": now}
    alive = Worker.objects.create(pid=7, jobs=[["echo", "1"]], expires_at=now + timedelta(seconds=30), **common)
    Worker.objects.create(pid=8, expires_at=now - timedelta(seconds=1), **common)
    held = jobs.start("echo", {}, owner=alice).run
    Run.objects.filter(id=held.id).update(status=RunStatus.RUNNING, lease_worker=alive.id)
    stamp = now.isoformat().replace("+00:00", "Z")
    assert as_admin.get("/api/workers/").json() == [
        {"host": "box", "pid": 7, "version": "1.0", "started_at": stamp, "seen_at": stamp, "jobs": [["echo", "1"]],
         "queues": [], "driving": 1}
    ]  # fmt: skip
