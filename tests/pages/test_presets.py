"""Presets on the start page of their job: kept from its form, started, filled in, deleted."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from runs import jobs
from runs.models import Preset, Run

SignedIn = Callable[..., Client]
ORDER = {"title": "Box", "count": "2", "address.street": "Main", "address.number": "7", "size": "small"}
KEEP = {"do": "preset", "run-preset_name": "boxes"}


@pytest.fixture
def client(owner: User, signed_in: SignedIn) -> Client:
    return signed_in(owner)


@pytest.fixture
def preset(owner: User, team: Group) -> Preset:
    order = {"title": "Crate", "count": 1, "address": {"street": "Main", "number": 7}, "password": "hunter2"}
    return jobs.create_preset("crates", "page-order", order, labels={"kind": "box"}, owner=owner, team=team)


def send(client: Client, fields: dict[str, Any], query: str = "") -> Any:
    page = client.get(f"/start/page-order/{query}")
    token = page.context["options"].initial["token"]
    return client.post(f"/start/page-order/{query}", {"run-token": token, **fields})


def test_the_form_can_be_kept_as_a_preset_and_starts_nothing(client: Client, owner: User, team: Group) -> None:
    answer = send(client, ORDER | KEEP | {"run-team": str(team.pk)})
    made = Preset.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, "/start/page-order/")
    assert (made.name, made.owner, made.team, made.input["title"]) == ("boxes", owner, team, "Box")
    assert not Run.objects.exists()
    again = send(client, ORDER | KEEP | {"run-team": str(team.pk)})
    assert "use another name" in " ".join(again.context["options"].errors["preset_name"])
    nameless = send(client, ORDER | KEEP | {"run-preset_name": ""})
    assert "Give the preset a name" in nameless.content.decode()
    wrong = send(client, ORDER | KEEP | {"run-preset_name": "other", "count": "0"})
    assert wrong.status_code == 400
    assert Preset.objects.count() == 1


def test_a_preset_is_started_once_for_each_page(client: Client, owner: User, preset: Preset) -> None:
    page = client.get("/start/page-order/")
    assert "crates" in page.content.decode()
    token = page.context["preset_token"]
    first = client.post(f"/presets/{preset.pk}/start/", {"token": token})
    again = client.post(f"/presets/{preset.pk}/start/", {"token": token})
    run = Run.objects.get()
    assert first["Location"] == again["Location"] == f"/runs/{run.pk}/"
    assert (run.owner, run.labels, run.input["password"]) == (owner, {"kind": "box"}, "hunter2")
    assert client.post(f"/presets/{preset.pk}/start/", {"token": "\0"}).status_code == 302
    assert Run.objects.count() == 2


def test_a_preset_that_fits_no_longer_says_so(client: Client, preset: Preset) -> None:
    Preset.objects.update(input={"title": 1})
    page = client.post(f"/presets/{preset.pk}/start/", follow=True)
    assert "does not fit job" in page.content.decode()
    assert not Run.objects.exists()


def test_a_form_filled_in_from_a_preset_keeps_what_is_secret(client: Client, preset: Preset) -> None:
    query = f"?preset={preset.pk}"
    page = client.get(f"/start/page-order/{query}")
    assert page.context["form"]["title"].value() == "Crate"
    assert "hunter2" not in page.content.decode()
    assert send(client, ORDER, query).status_code == 302
    run = Run.objects.get()
    assert (run.input["title"], run.input["password"], run.labels) == ("Box", "hunter2", {"kind": "box"})
    send(client, ORDER | {"password": "other"}, query)
    assert Run.objects.order_by("id").last().input["password"] == "other"


def test_a_colleague_starts_a_preset_with_its_secrets_but_not_beside_another_input(
    member: User, preset: Preset, signed_in: SignedIn
) -> None:
    query, client = f"?preset={preset.pk}", signed_in(member)
    same = client.get(f"/start/page-order/{query}").context["form"].as_sent().dict()
    assert send(client, same, query).status_code == 302
    assert Run.objects.get().input["password"] == "hunter2"
    elsewhere = send(client, same | {"address.street": "Side"}, query)
    assert elsewhere.status_code == 400
    assert "was given by somebody else for another input" in elsewhere.content.decode()
    assert "hunter2" not in elsewhere.content.decode()
    assert send(client, same | KEEP | {"title": "Other"}, query).status_code == 400
    assert (Run.objects.count(), Preset.objects.count()) == (1, 1)
    assert send(client, same | {"address.street": "Side", "password": "own"}, query).status_code == 302


def test_a_preset_is_deleted_after_a_question(client: Client, preset: Preset) -> None:
    path = f"/presets/{preset.pk}/delete/"
    assert "Delete this preset?" in client.get(path).content.decode()
    assert Preset.objects.exists()
    assert client.post(path)["Location"] == "/start/page-order/"
    assert not Preset.objects.exists()


@pytest.mark.parametrize("action", ["start", "delete"])
def test_nobody_else_sees_or_uses_a_preset(
    action: str, preset: Preset, member: User, stranger: User, signed_in: SignedIn
) -> None:
    address = f"/presets/{preset.pk}/{action}/"
    assert Client().post(address).status_code == 302
    assert signed_in(stranger).post(address).status_code == 404
    assert signed_in(member, enforce_csrf_checks=True).post(address).status_code == 403
    assert (Preset.objects.count(), Run.objects.count()) == (1, 0)
    assert "crates" in signed_in(member).get("/start/page-order/").content.decode()
    assert "crates" not in signed_in(stranger).get("/start/page-order/").content.decode()
    assert signed_in(stranger).get(f"/start/page-order/?preset={preset.pk}").status_code == 404
