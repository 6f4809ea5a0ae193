"""Queues over REST: members read the numbers of their own runs, operators say what holds."""

import pytest
from django.contrib.auth.models import Group, Permission, User

from perdure.accounts.tokens import create_token
from runs import jobs
from runs.engine.store.rows import SYSTEM
from runs.models import Audit, Queue, Run
from runs.testing import frozen_worker
from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch

GPU = {
    "name": "gpu", "concurrency": None, "paused": False, "served": False, "queued": 0, "running": 0, "waiting": 0,
    "held": 0,
}  # fmt: skip


@pytest.fixture
def as_operator(bob: User) -> ApiClient:
    """Bob as staff that may change queues."""
    bob.is_staff = True
    bob.save()
    bob.user_permissions.add(Permission.objects.get(codename="change_queue"))
    return ApiClient(create_token(bob, "operator"))


@pytest.fixture
def in_gpu(alice: User, team: Group) -> Run:
    return jobs.start("echo", {"text": "x"}, owner=alice, team=team, queue="gpu").run


def put(client: ApiClient, name: str, body: object):
    return client.put(f"/api/queues/{name}/", body, content_type="application/json")


def listed(client: ApiClient) -> dict[str, dict[str, object]]:
    return {queue["name"]: queue for queue in client.get("/api/queues/").json()["results"]}


def test_everybody_sees_the_queues_with_the_runs_that_they_may_see(
    in_gpu: Run, api: ApiClient, as_mallory: ApiClient, as_admin: ApiClient
) -> None:
    jobs.pause(jobs.start("echo", {"text": "y"}, owner=in_gpu.owner, queue="gpu").run.id)
    assert listed(api)["gpu"] == GPU | {"queued": 1, "held": 1}
    assert listed(as_admin)["gpu"]["queued"] == 1
    assert "gpu" not in listed(as_mallory), "a name that only others' runs use is theirs"
    error_of(as_mallory.get("/api/queues/gpu/"), 404, "queue_not_found")
    jobs.set_queue("gpu", SYSTEM, concurrency=3, is_paused=False)
    assert listed(as_mallory)["gpu"] == GPU | {"concurrency": 3}
    assert api.get("/api/queues/gpu/").json() == GPU | {"queued": 1, "held": 1, "concurrency": 3}
    frozen_worker()
    assert listed(api)["gpu"]["served"] is True


def test_operators_set_and_forget_what_holds(as_operator: ApiClient, in_gpu: Run) -> None:
    assert put(as_operator, "gpu", {"concurrency": 2}).json() == GPU | {"concurrency": 2, "queued": 1}
    assert put(as_operator, "gpu", {"paused": True}).json() == GPU | {"paused": True, "queued": 1}
    assert as_operator.delete("/api/queues/gpu/").status_code == 204
    assert not Queue.objects.exists()
    for name in ("gpu", "%00"):
        error_of(as_operator.delete(f"/api/queues/{name}/"), 404, "queue_not_found")
    assert list(Audit.objects.filter(target="gpu").values_list("action", "actor_kind", "address").order_by("id")) == [
        ("queue.set", "token", "127.0.0.1"), ("queue.set", "token", "127.0.0.1"),
        ("queue.forget", "token", "127.0.0.1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body", [{"concurrency": 0}, {"concurrency": -1}, {"concurrency": "2"}, {"concurrency": 2**31},
             {"concurrency": 1.5}, {"paused": "yes"}, {"paused": None}, {"name": "x"}, []], ids=str
)  # fmt: skip
def test_what_does_not_fit_changes_nothing(as_operator: ApiClient, body: object, nothing_changes: Watch) -> None:
    with nothing_changes():
        error_of(put(as_operator, "gpu", body), 400, "invalid_request")
        error_of(put(as_operator, "x" * 101, {}), 400, "invalid_option")
        error_of(put(as_operator, "a%0Ab", {}), 400, "invalid_option")


def test_others_change_nothing(
    api: ApiClient, as_mallory: ApiClient, anonymous: ApiClient, alice: User, nothing_changes: Watch
) -> None:
    jobs.set_queue("gpu", SYSTEM, concurrency=3, is_paused=False)
    alice.is_staff = True
    alice.save()  # staff without the permission
    with nothing_changes():
        for client in (api, as_mallory):
            error_of(put(client, "gpu", {}), 403, "permission_denied")
            error_of(client.delete("/api/queues/gpu/"), 403, "permission_denied")
        for response in (
            anonymous.get("/api/queues/"), anonymous.get("/api/queues/gpu/"), put(anonymous, "gpu", {}),
            anonymous.delete("/api/queues/gpu/"),
        ):  # fmt: skip
            error_of(response, 401, "not_authenticated")


def test_a_run_shows_its_queue_and_is_found_by_it(api: ApiClient, in_gpu: Run, run: Run) -> None:
    found = api.get("/api/runs/", {"queue": "gpu"}).json()["results"]
    assert [(one["id"], one["queue"]) for one in found] == [(str(in_gpu.id), "gpu")]
    assert api.get("/api/jobs/echo/").json()["queue"] == "default"
    done = api.send("/api/runs/cancel/", {"queue": "gpu", "limit": 10}).json()
    assert (done["done"], jobs.get(run.id).status) == (1, "queued")
