"""The workflow API: the shapes that agent clients send and expect, over the same runs as everywhere."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User
from pydantic import BaseModel

from runs import jobs
from runs.jobs import RunView, StepContext
from runs.models import Run, RunStatus
from runs.testing import drain, temporary_jobs
from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch

pytestmark = pytest.mark.django_db(transaction=True)


class Assignment(BaseModel):
    projectId: str  # noqa: N815
    task: str
    metadata: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def _reviews(settings: Any) -> Iterator[None]:
    settings.RUNS_UNLOAD_AFTER = 0.05
    settings.RUNS_WORKFLOW_JOB = "reviews"
    with temporary_jobs():

        @jobs.job("reviews")
        async def reviews(step: StepContext, assignment: Assignment) -> Any:
            step.progress(1, assignment.metadata.get("maxIterations", 1), "reading")
            await step.run("read", lambda: "read it")
            approval = await step.wait_for_signal("CodeReviewApproval")
            return [assignment.task, approval, step.state.value]

        @reviews.query
        def project(view: RunView) -> str:
            return str(view.input["projectId"])

        @reviews.update
        async def focus(step: StepContext, what: str) -> str:
            if what == "nothing":
                raise ValueError("that is too little")
            step.state.update(focus=what)
            return what.upper()

        yield


REST = {"toolCalls": [], "toolName": None, "signalName": None}
START: dict[str, Any] = {"projectId": "p1", "task": "mend it", "metadata": {"maxIterations": 7}}


def start(api: ApiClient, **more: Any) -> str:
    answer = api.send("/api/workflows/start", START | more)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body.keys() == {"workflowId", "status", "createdAt"}
    assert body["status"] == "PENDING"
    assert body["createdAt"] == int(Run.objects.get(id=body["workflowId"]).created_at.timestamp() * 1000)
    return str(body["workflowId"])


def test_a_workflow_is_started_asked_updated_and_signalled(api: ApiClient, alice: User) -> None:
    workflow = start(api, userId="alice")
    drain()
    view = api.get(f"/api/workflows/{workflow}/query").json()
    assert {name: view[name] for name in ("workflowId", "status", "currentIteration", "maxIterations", "result")} == {
        "workflowId": workflow, "status": "RUNNING", "currentIteration": 1, "maxIterations": 7, "result": None,
    }  # fmt: skip
    assert [(one["name"], one["status"]) for one in view["agentSteps"]] == [
        ("read", "completed"), ("signal:CodeReviewApproval#1", "running"),
    ]  # fmt: skip
    assert view["lastUpdate"] >= view["agentSteps"][0]["startedAt"] > 1_700_000_000_000
    assert (view["agentEdits"], view["conversationHistory"]) == ([], [{"role": "user", "content": "mend it"} | REST])
    assert view["pendingSignals"] == [
        {"signalName": "CodeReviewApproval", "status": "AWAITED", "receivedAt": None},
    ]  # fmt: skip
    assert api.get(f"/api/workflows/{workflow}/query/?name=project").json()["result"] == "p1"

    sent = api.send(f"/api/workflows/{workflow}/update?wait=0", {"updateName": "focus", "data": "tests"})
    assert (sent.status_code, sent.json()["status"]) == (202, "ACCEPTED")
    assert api.send(f"/api/workflows/{workflow}/signal", {
        "signalName": "CodeReviewApproval", "data": {"approved": True, "feedback": "good"},
    }).json() == {"success": True}  # fmt: skip
    drain()
    run = Run.objects.get(id=workflow)
    assert (run.status, run.owner) == (RunStatus.COMPLETED, alice)
    assert run.output[:2] == ["mend it", {"approved": True, "feedback": "good"}]
    assert jobs.get_update(run.id, sent.json()["updateId"]).result == "TESTS"
    view = api.get(f"/api/workflows/{workflow}/query").json()
    assert (view["status"], view["pendingSignals"], view["result"]) == ("COMPLETED", [], run.output)
    assert view["conversationHistory"][1:] == [
        REST | {"role": "user", "signalName": "CodeReviewApproval",
                "content": '{"approved": true, "feedback": "good"}'},
    ]  # fmt: skip


def test_what_became_of_an_update_is_told_again_under_its_key(api: ApiClient) -> None:
    workflow = start(api)
    body = {"updateName": "focus", "data": "nothing", "idempotencyKey": "k"}
    api.send(f"/api/workflows/{workflow}/update?wait=0", body)
    drain()
    failed = api.send(f"/api/workflows/{workflow}/update?wait=0", body)
    assert (failed.status_code, failed.json()["status"], failed.json()["error"]) == (
        200,
        "FAILED",
        "that is too little",
    )


def test_one_key_starts_one_workflow(api: ApiClient) -> None:
    first = start(api, idempotencyKey="k")
    again = api.send("/api/workflows/start", START | {"idempotencyKey": "k"})
    assert (again.status_code, again.json()["workflowId"]) == (200, first)


def test_without_a_setting_the_job_must_be_named(api: ApiClient, settings: Any, nothing_changes: Watch) -> None:
    settings.RUNS_WORKFLOW_JOB = ""
    with nothing_changes():
        error = error_of(api.send("/api/workflows/start", START), 400, "invalid_request")
    assert error["details"]["fields"][0]["field"] == "workflow"
    start(api, workflow="reviews")


@pytest.mark.parametrize(
    ("door", "body", "status", "code"),
    [
        ("start", START | {"userId": "b" * 201}, 400, "invalid_request"), ("start", {"task": 5}, 400, "invalid_input"),
        ("start", START | {"extra": 1}, 400, "invalid_request"), ("start", START | {"workflow": "x"}, 404,
        "job_not_found"), ("{}/signal", {}, 400, "invalid_request"), ("{}/signal", {"name": "a"}, 400,
        "invalid_request"), ("{}/update", {"updateName": "x"}, 404, "handler_not_found"),
        ("{}/update?wait=x", {"updateName": "focus"}, 400, "invalid_request"),
        ("{}/update", {"updateName": "focus"}, 400, "invalid_arguments"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_does_not_fit_is_refused_and_changes_nothing(
    api: ApiClient, nothing_changes: Watch, door: str, body: Any, status: int, code: str
) -> None:
    workflow = start(api)
    with nothing_changes():
        error_of(api.send(f"/api/workflows/{door.format(workflow)}", body), status, code)


DOORS = [("POST", "signal"), ("GET", "query"), ("POST", "update"), ("GET", "query/"), ("POST", "signal/")]


@pytest.mark.parametrize(("method", "door"), DOORS)
def test_each_door_is_shut_for_the_anonymous_and_for_strangers(
    anonymous: ApiClient, as_mallory: ApiClient, run: Run, nothing_changes: Watch, method: str, door: str
) -> None:
    with nothing_changes():
        error_of(anonymous.generic(method, f"/api/workflows/{run.id}/{door}"), 401, "not_authenticated")
        error_of(as_mallory.generic(method, f"/api/workflows/{run.id}/{door}"), 404, "run_not_found")
        error_of(anonymous.send("/api/workflows/start", START), 401, "not_authenticated")


def test_a_colleague_is_answered(as_bob: ApiClient, run: Run) -> None:
    assert as_bob.get(f"/api/workflows/{run.id}/query").json()["status"] == "PENDING"
    assert as_bob.send(f"/api/workflows/{run.id}/signal", {"signalName": "go"}).json() == {"success": True}


def test_every_status_of_a_run_has_its_word() -> None:
    from runs.api.workflow_shapes import STATUSES

    assert STATUSES.keys() == set(RunStatus.values)


def test_whoever_a_client_says_it_acts_for_is_a_label_and_no_more(api: ApiClient, alice: User, bob: User) -> None:
    run = Run.objects.get(id=start(api, userId="bob"))
    assert (run.owner, run.labels) == (alice, {"userId": "bob"})
    for own in ("alice", str(alice.pk)):
        assert Run.objects.get(id=start(api, userId=own)).labels == {}


@pytest.mark.parametrize(
    "config",
    [{"apiKey": "secret"}, {"baseUrl": "http://10.0.0.1"}, {"model": "http://10.0.0.1/v1"}, {"provider": "a://b"},
     {"provider": ""}, {"headers": {"X": "y"}}, {"model": 5}, "gpt"],
)  # fmt: skip
def test_a_model_is_named_and_neither_addressed_nor_unlocked(
    api: ApiClient, nothing_changes: Watch, config: Any
) -> None:
    with nothing_changes():
        body = START | {"metadata": {"llmConfig": config}}
        error = error_of(api.send("/api/workflows/start", body), 400, "invalid_request")
    assert "secret" not in str(error)
    run = Run.objects.get(id=start(api, metadata={"llmConfig": {"provider": "local", "modelName": "m"}, "branch": "b"}))
    assert run.input["metadata"] == {"llmConfig": {"provider": "local", "modelName": "m"}, "branch": "b"}


def test_a_signal_that_nobody_has_taken_yet_is_pending(api: ApiClient) -> None:
    workflow = start(api)
    api.send(f"/api/workflows/{workflow}/signal", {"signalName": "later", "data": 1})
    (pending,) = api.get(f"/api/workflows/{workflow}/query").json()["pendingSignals"]
    assert (pending["signalName"], pending["status"]) == ("later", "RECEIVED")
    assert pending["receivedAt"] > 1_700_000_000_000


def test_a_workflow_that_no_job_is_called_may_be_known_to_another_app(api: ApiClient) -> None:
    def resolve(name: str, given: Mapping[str, Any]) -> jobs.Begin | None:
        return functools.partial(jobs.start, "reviews", dict(given)) if name == "a-flow" else None

    jobs.name_workflows("test", resolve)
    try:
        run = Run.objects.get(id=start(api, workflow="a-flow", userId="bob"))
        error_of(api.send("/api/workflows/start", START | {"workflow": "b-flow"}), 404, "job_not_found")
    finally:
        jobs.name_workflows("test", lambda name, given: None)
    assert (run.job, run.labels) == ("reviews", {"userId": "bob"})
