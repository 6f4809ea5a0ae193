"""Rollouts in the admin: a form that refuses what could not be started, and actions forward, back and out."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from runs import jobs
from runs.jobs import StepContext, job
from runs.models import Audit, Rollout
from runs.testing import temporary_jobs

SignedIn = Callable[..., Client]
LIST = "/admin/runs/rollout/"


@pytest.fixture(autouse=True)
def _versions() -> Iterator[None]:
    with temporary_jobs():
        for version in ("1", "2"):

            @job("parcel", version=version)
            async def parcel(step: StepContext) -> None: ...

        yield


def act(client: Client, action: str) -> str:
    answer = client.post(LIST, {"action": action, "_selected_action": ["parcel"]}, follow=True)
    return answer.content.decode()


def test_an_administrator_begins_changes_and_ends_a_rollout(administrator: User, signed_in: SignedIn) -> None:
    client = signed_in(administrator)
    assert client.get(LIST + "add/").status_code == 200
    form = {"job": "parcel", "version": "2", "base": "1", "percent": "5"}
    refused = client.post(LIST + "add/", form | {"version": "9"})
    assert "There is no version &#x27;9&#x27; of job &#x27;parcel&#x27;" in refused.content.decode()
    assert not Rollout.objects.exists()
    assert client.post(LIST + "add/", form).status_code == 302
    assert client.post(LIST + "parcel/change/", form | {"percent": "101"}).status_code == 200
    assert client.post(LIST + "parcel/change/", form | {"percent": "20"}).status_code == 302
    assert jobs.get_rollout("parcel").percent == 20
    assert "1 sent forward." in act(client, "send_all")
    assert jobs.get_rollout("parcel").percent == 100
    assert "1 sent back." in act(client, "send_none")
    assert jobs.get_rollout("parcel").percent == 0
    assert "1 ended." in act(client, "end")
    assert not Rollout.objects.exists()
    names = set(Audit.objects.filter(action__startswith="rollout.").values_list("actor_name", flat=True))
    assert names == {"root"}
    assert Audit.objects.filter(action="rollout.set").count() == 4


def test_staff_who_may_only_look_change_nothing(member: User, signed_in: SignedIn) -> None:
    jobs.set_rollout("parcel", "2", 5)
    member.is_staff = True
    member.save()
    member.user_permissions.add(Permission.objects.get(codename="view_rollout"))
    client = signed_in(member)
    assert client.get(LIST).status_code == 200
    for action in ("send_all", "send_none", "end", "delete_selected"):
        act(client, action)
    assert client.post(LIST + "parcel/change/", {"version": "2", "base": "1", "percent": "9"}).status_code == 403
    assert client.post(LIST + "add/", {}).status_code == 403
    assert jobs.get_rollout("parcel").percent == 5


def test_the_form_of_a_job_and_its_sending_are_of_one_version(owner: User, signed_in: SignedIn) -> None:
    jobs.set_rollout("parcel", "2", 50)
    client, versions = signed_in(owner), set[str]()
    while versions != {"1", "2"}:
        token = client.get("/start/parcel/").context["options"]["token"].value()
        shown = jobs.job_for_new_run("parcel", token).version
        sent = client.post("/start/parcel/", {"run-token": token})
        run = jobs.get(sent.headers["Location"].split("/")[2])
        assert run.job_version == shown
        versions.add(shown)
