"""Schedules of agent flows: chosen by the flow's name, with the task as a text."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from flows.agents.catalogue import all_flows
from flows.agents.spec import Flow
from runs.models import Schedule

SignedIn = Callable[..., Client]
WHEN = {
    "when-name": "nightly", "when-kind": "cron", "when-cron": "0 3 * * *", "when-timezone": "UTC",
    "when-overlap": "skip", "when-catch_up": "last", "when-catch_up_within": "12", "when-priority": "0",
}  # fmt: skip


@pytest.fixture
def client(owner: User, signed_in: SignedIn) -> Client:
    return signed_in(owner)


@pytest.fixture
def flow(db: None) -> Flow:
    """One that any text is enough for."""
    return next(one for one in all_flows() if all(given.default is not None for given in one.subflow.params.values()))


def test_flows_stand_in_the_choice_under_their_own_names(client: Client, flow: Flow) -> None:
    page = client.get("/schedules/new/").content.decode()
    assert f'href="/schedules/flows/{flow.name}/"' in page
    assert 'href="/schedules/new/agent-flow/"' not in page
    found = client.get("/schedules/new/", {"q": flow.name.upper()})
    assert flow.name in [one.name for one in found.context["flows"]]
    assert not found.context["jobs"]
    assert "No flow or job is called that." in client.get("/schedules/new/?q=nonsense").content.decode()
    assert client.get("/schedules/new/?q=%00").status_code == 400


def test_a_task_makes_a_schedule_of_the_flow_and_can_be_changed(client: Client, flow: Flow) -> None:
    address = f"/schedules/flows/{flow.name}/"
    assert client.post(address, WHEN | {"flow-task": ""}).status_code == 400
    assert not Schedule.objects.exists()
    answer = client.post(address, WHEN | {"flow-task": "Tidy the <b>docs</b>", "when-labels": f"flow={flow.name}"})
    made = Schedule.objects.get()
    assert answer["Location"] == f"/schedules/{made.pk}/"
    assert (made.job, made.input["flow"], made.input["task"]) == ("agent-flow", flow.name, "Tidy the <b>docs</b>")
    assert made.labels == {"flow": flow.name}
    assert flow.name in client.get("/schedules/").content.decode()
    form = client.get(f"/schedules/{made.pk}/edit/").content.decode()
    assert "Tidy the &lt;b&gt;docs&lt;/b&gt;</textarea>" in form
    assert client.post(f"/schedules/{made.pk}/edit/", WHEN | {"flow-task": "Tidy the code"}).status_code == 302
    made.refresh_from_db()
    assert (made.input["flow"], made.input["task"]) == (flow.name, "Tidy the code")
    assert client.get(f"/schedules/{made.pk}/edit/?json").status_code == 200


def test_an_unknown_flow_is_not_found_and_the_anonymous_are_sent_to_sign_in(client: Client, flow: Flow) -> None:
    assert client.get("/schedules/flows/nonsense/").status_code == 404
    assert client.get("/schedules/flows/%00/").status_code == 404
    assert Client().post(f"/schedules/flows/{flow.name}/", WHEN).status_code == 302
    assert not Schedule.objects.exists()
