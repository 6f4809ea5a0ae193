"""Jobs of the pipeline API: the same runs as everywhere, in its words."""

from typing import Any

import pytest

from runs import jobs
from runs.models import Run, RunStatus
from runs.testing import drain
from tests.api.client import ApiClient
from tests.api.conftest import Watch
from tests.v1.conftest import INPUT, SOURCES, Start, error_of

pytestmark = pytest.mark.django_db(transaction=True)


def statuses(job: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["step_id"], step["status"]) for step in job["step_executions"]]


def test_a_job_is_started_worked_on_and_read(api: ApiClient) -> None:
    answer = api.send("/v1/jobs", {"pipeline_type": "notes", "input": INPUT})
    assert answer.status_code == 202
    job = answer.json()["job"]
    assert (job["status"], job["pipeline_version"], job["mode"]) == ("queued", "1", "async")
    assert statuses(job) == [("read", "pending"), ("judge", "pending"), ("join", "pending")]
    assert answer.headers["Location"] == f"http://testserver/v1/jobs/{job['id']}"
    assert len(job["id"]) == 32

    drain()
    done = api.get(f"/v1/jobs/{job['id']}/").json()["job"]
    assert done["status"] == "succeeded"
    assert statuses(done) == [("read", "success"), ("judge", "success"), ("join", "success")]
    assert [step["shards_done"] for step in done["step_executions"]] == [3, 3, 1]
    assert done["input"]["sources"][0]["content"] == "text 0"
    items = done["result"]["items"]
    assert [(item["step_id"], item["shard_key"], item["label"]) for item in items[:2]] == [
        ("judge", "read-0", "judge#1"), ("judge", "read-1", "judge#2"),
    ]  # fmt: skip
    assert (items[-1]["step_id"], items[-1]["is_primary"], items[-1]["tag"]) == ("join", True, "all")
    assert "TEXT 2!" in items[-1]["data"]["text"]


def test_sync_mode_waits_for_the_end_or_for_its_time(api: ApiClient, settings: Any) -> None:
    settings.PIPELINES_SYNC_SECONDS = 0.05
    answer = api.send("/v1/jobs", {"pipeline_type": "notes", "mode": "sync", "input": INPUT})
    assert (answer.status_code, answer.json()["job"]["status"], answer.json()["job"]["mode"]) == (202, "queued", "sync")


def test_a_job_is_held_at_its_budget(api: ApiClient, start: Start) -> None:
    job_id = start(budget={"steps": 2})
    job = api.get(f"/v1/jobs/{job_id}").json()["job"]
    assert (job["status"], job["reason"]) == ("running", "budget steps")
    [held] = api.get("/api/runs/").json()["results"]
    assert held["budget"]["limits"]["steps"]["hard"] == 2


def test_one_idempotency_key_is_one_job(api: ApiClient, start: Start) -> None:
    first = start(idempotency_key="k")
    again = api.send("/v1/jobs", {"pipeline_type": "notes", "input": INPUT, "team": "night shift"},
                     headers={"Idempotency-Key": "k"})  # fmt: skip
    assert (again.status_code, again.json()["job"]["id"]) == (202, first)
    other = api.send("/v1/jobs", {"pipeline_type": "notes", "team": "night shift", "idempotency_key": "k"})
    error_of(other, 409, "idempotency_conflict")


def test_jobs_are_listed_newest_first_in_pages(api: ApiClient, start: Start) -> None:
    made = [start(work=False) for _ in range(3)]
    jobs.cancel(jobs.get(made[0]).id)
    page = api.get("/v1/jobs?limit=2").json()
    assert [job["id"] for job in page["jobs"]] == made[:0:-1]
    assert [job["id"] for job in api.get(page["next"]).json()["jobs"]] == made[:1]
    assert [job["id"] for job in api.get("/v1/jobs?status=cancelled").json()["jobs"]] == made[:1]
    assert api.get("/v1/jobs?pipeline_type=other").json()["jobs"] == []
    error_of(api.get("/v1/jobs?status=paused"), 400, "invalid_request")


def test_a_cancelled_job_says_so_and_an_ended_one_stays_as_it_is(api: ApiClient, start: Start) -> None:
    job_id = start(work=False)
    answer = api.send(f"/v1/jobs/{job_id}/cancel")
    job = answer.json()["job"]
    assert (answer.status_code, job["status"]) == (200, "cancelled")
    assert (job["error"]["code"], job["error"]["message"]) == ("cancelled", "cancelled by user")
    again = api.send(f"/v1/jobs/{job_id}/cancel", {"reason": "other"})
    assert (again.status_code, again.json()["job"]["error"]["message"]) == (200, "cancelled by user")


def test_a_rerun_takes_over_what_came_before(api: ApiClient, start: Start) -> None:
    job_id = start()
    body = {"from_step_id": "join", "reuse_upstream": True}
    answer = api.send(f"/v1/jobs/{job_id}/rerun", body)
    assert answer.status_code == 202
    job = answer.json()["job"]
    assert (job["mode"], job["parent_job_id"], job["rerun_from_step"]) == ("rerun", job_id, "join")
    drain()
    done = api.get(f"/v1/jobs/{job['id']}").json()["job"]
    assert statuses(done) == [("read", "skipped"), ("judge", "skipped"), ("join", "success")]
    first = api.get(f"/v1/jobs/{job_id}").json()["job"]["result"]["items"]
    assert [item["data"] for item in done["result"]["items"]] == [item["data"] for item in first]

    by_post = api.send("/v1/jobs", {"pipeline_type": "notes", "parent_job_id": job_id, "from_step_id": "join"})
    assert by_post.json()["job"]["parent_job_id"] == job_id
    override = api.send(f"/v1/jobs/{job_id}/rerun", {"override_input": {"sources": SOURCES[:1]}})
    assert len(override.json()["job"]["input"]["sources"]) == 1


UNFIT = [
    {}, {"pipeline_type": "nothing"}, {"pipeline_type": "notes", "version": "9"}, {"pipeline_type": 5},
    {"pipeline_type": "notes", "extra": 1}, {"pipeline_type": "notes", "mode": "later"},
    {"pipeline_type": "notes", "input": {"sources": [{"kind": "song"}]}}, {"pipeline_type": "notes", "team": "x"},
    {"pipeline_type": "notes", "budget": {"tokens": -1}}, {"pipeline_type": "notes", "budget": {"apples": 1}},
    {"pipeline_type": "notes", "from_step_id": "join"}, [], b"{", b'{"a": 1, "a": 2}',
]  # fmt: skip


def test_what_does_not_fit_is_refused_and_changes_nothing(api: ApiClient, nothing_changes: Watch) -> None:
    with nothing_changes():
        for body in UNFIT:
            error_of(api.send("/v1/jobs", body), 400, "invalid_request")


def test_other_refusals_have_the_shape_of_this_api(api: ApiClient, start: Start) -> None:
    job_id = start()
    error_of(api.send(f"/v1/jobs/{job_id}/rerun", {"from_step_id": "none"}), 400, "invalid_request")
    error_of(api.get("/v1/jobs/nothing"), 404, "not_found")
    error_of(api.get("/v1/nothing"), 404, "not_found")
    error_of(api.send("/v1/config/engine", {"log_level": "debug"}), 404, "not_found")
    error_of(api.delete(f"/v1/jobs/{job_id}"), 405, "method_not_allowed")
    error_of(api.get("/v1/jobs", headers={"Accept": "image/png"}), 406, "not_acceptable")
    error_of(api.send("/v1/jobs", b"a=1", content_type="text/plain"), 415, "unsupported_media_type")
    assert api.get("/v1/jobs", headers={"Host": "evil.test"}).json()["error"].keys() == {"code", "message"}


def test_a_job_that_is_under_way_is_not_run_again(api: ApiClient, start: Start) -> None:
    error_of(api.send(f"/v1/jobs/{start(work=False)}/rerun", {}), 409, "run_not_finished")


OF_A_JOB = [("GET", ""), ("GET", "/stream"), ("POST", "/cancel"), ("POST", "/rerun")]


def test_the_anonymous_neither_list_nor_start_jobs_nor_read_figures(
    anonymous: ApiClient, start: Start, nothing_changes: Watch
) -> None:
    start(work=False)
    with nothing_changes():
        for response in (
            anonymous.get("/v1/jobs"), anonymous.send("/v1/jobs", {"pipeline_type": "notes"}),
            anonymous.send("/v1/jobs?stream=true", {"pipeline_type": "notes"}), anonymous.get("/v1/metrics"),
        ):  # fmt: skip
            error_of(response, 401, "not_authenticated")


def test_a_job_is_shut_for_the_anonymous_and_for_strangers(
    anonymous: ApiClient, as_mallory: ApiClient, start: Start, nothing_changes: Watch
) -> None:
    job_id = start(work=False)
    with nothing_changes():
        for method, door in OF_A_JOB:
            error_of(anonymous.generic(method, f"/v1/jobs/{job_id}{door}"), 401, "not_authenticated")
            error_of(as_mallory.generic(method, f"/v1/jobs/{job_id}{door}"), 404, "not_found")
        parent = {"pipeline_type": "notes", "parent_job_id": job_id}
        error_of(as_mallory.send("/v1/jobs", parent), 404, "not_found")
    assert as_mallory.get("/v1/jobs").json()["jobs"] == []


def test_a_colleague_reads_and_cancels(as_bob: ApiClient, start: Start) -> None:
    job_id = start(work=False)
    assert as_bob.get(f"/v1/jobs/{job_id}").json()["job"]["status"] == "queued"
    assert as_bob.send(f"/v1/jobs/{job_id}/cancel", {"reason": "enough"}).json()["job"]["status"] == "cancelled"


def test_runs_of_other_jobs_are_no_jobs_here(api: ApiClient, alice: Any) -> None:
    run = jobs.start("echo", {"text": "hello"}, owner=alice).run
    error_of(api.get(f"/v1/jobs/{run.id.hex}"), 404, "not_found")
    assert api.get("/v1/jobs").json()["jobs"] == []


def test_every_status_of_a_run_has_its_word() -> None:
    from flows.pipelines.shown import STATUSES

    assert STATUSES.keys() == set(RunStatus.values)


def test_a_run_with_a_definition_that_nothing_has_is_shown_all_the_same(api: ApiClient, alice: Any) -> None:
    run = jobs.start("pipeline", {"pipeline": "notes", "definition": "0" * 64}, owner=alice).run
    drain()
    job = api.get(f"/v1/jobs/{run.id.hex}").json()["job"]
    assert (job["status"], job["step_executions"]) == ("failed", [])
    assert Run.objects.get(id=run.id).status == RunStatus.FAILED


def test_a_job_that_is_held_half_way_shows_which_steps_are_whole(api: ApiClient, start: Start) -> None:
    """With eight steps begun, all of the first step and some shards of the second have ended."""
    job_id = start(budget={"steps": 5})
    shown = {step["step_id"]: step for step in api.get(f"/v1/jobs/{job_id}").json()["job"]["step_executions"]}
    assert (shown["read"]["status"], shown["read"]["shards_done"]) == ("success", 3)
    assert (shown["judge"]["status"], shown["join"]["status"]) == ("running", "pending")
    assert 1 <= shown["judge"]["shards_done"] < 3
    cancelled = api.send(f"/v1/jobs/{job_id}/cancel").json()["job"]
    assert [step["status"] for step in cancelled["step_executions"]] == ["success", "cancelled", "cancelled"]


@pytest.mark.parametrize("forged", [5, [1, None]])
def test_what_a_fork_was_given_for_items_hides_no_jobs(api: ApiClient, start: Start, forged: Any) -> None:
    start()
    drain()
    fork = jobs.fork(Run.objects.get().id, "judge[0]", outputs={"read[0]": forged})
    assert len(api.get("/v1/jobs").json()["jobs"]) == 2
    drain()
    assert api.get(f"/v1/jobs/{fork.id.hex}").json()["job"]["status"] in ("succeeded", "failed")
    assert len(api.get("/v1/jobs").json()["jobs"]) == 2
