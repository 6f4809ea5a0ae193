"""The start page: a form made from the job's JSON Schema, sent once, checked by field."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from perdure.dashboard.schema_form import RAW
from runs.models import Run

SignedIn = Callable[..., Client]
MINIMAL = {"title": "Box", "count": "2", "address.street": "Main", "address.number": "7", "size": "small"}


def send(client: Client, fields: dict[str, Any], job: str = "page-order", query: str = "", **more: Any) -> Any:
    page = client.get(f"/start/{job}/{query}")
    token = page.context["options"].initial["token"]
    return client.post(f"/start/{job}/{query}", {"run-token": token, **fields, **more})


def only_run() -> Run:
    return Run.objects.get()


@pytest.fixture
def client(owner: User, signed_in: SignedIn) -> Client:
    return signed_in(owner)


def test_a_form_starts_a_run_of_the_person_and_shows_it(client: Client, owner: User) -> None:
    answer = send(client, MINIMAL)
    run = only_run()
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{run.pk}/")
    assert (run.job, run.owner, run.team) == ("page-order", owner, None)
    assert run.input["address"] == {"street": "Main", "number": 7, "note": None}
    assert run.input["weight"] == 1.5


def test_every_kind_of_field_becomes_its_json_value(client: Client) -> None:
    answer = send(
        client,
        MINIMAL
        | {
            "body": " two\nlines ",
            "weight": "2.25",
            "urgent": "on",
            "insured": "false",
            "size": "large",
            "rating": "2",
            "tags": "red\n\n blue \n",
            "numbers": "1\n2",
            "sizes": ["small", "large"],
            "day": "2026-02-03",
            "at": "2026-02-03T04:05:06",
            "password": " pass word ",
            "extra": '{"a": [1, null]}',
        },
    )
    assert answer.status_code == 302, answer.context["form"].errors
    value = only_run().input
    assert value["body"].replace("\r\n", "\n") == " two\nlines "
    assert (value["weight"], value["urgent"], value["insured"]) == (2.25, True, False)
    assert (value["size"], value["rating"]) == ("large", 2)
    assert (value["tags"], value["numbers"], value["sizes"]) == (["red", "blue"], [1, 2], ["small", "large"])
    assert value["day"] == "2026-02-03"
    assert value["at"].startswith("2026-02-03T04:05:06")
    assert value["password"] == " pass word "
    assert value["extra"] == {"a": [1, None]}


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"title": ""}, "title", "required"),
        ({"title": "SHOUT"}, "title", "write it normally"),
        ({"title": "x" * 21}, "title", "at most 20"),
        ({"title": "a\0b"}, "title", "Null characters"),
        ({"count": "0"}, "count", "greater than or equal to 1"),
        ({"count": "two"}, "count", "whole number"),
        ({"address.number": "0"}, "address.number", "greater than or equal to 1"),
        ({"size": "huge"}, "size", "not one of the available choices"),
        ({"numbers": "1\nx"}, "numbers", "Line 2"),
        ({"extra": "{"}, "extra", "not JSON"),
        ({"extra": "[" * 100_000}, "extra", "not JSON"),
        ({"extra": "3"}, "extra", "valid dictionary"),
        ({"extra": "9" * 5000}, "extra", "not JSON"),
        ({"day": "tomorrow"}, "day", "valid date"),
    ],
)
def test_a_wrong_value_is_told_at_its_field_and_starts_nothing(
    wrong: dict[str, str], field: str, said: str, client: Client
) -> None:
    answer = send(client, MINIMAL | wrong)
    assert answer.status_code == 400
    assert said in " ".join(answer.context["form"].errors[field])
    assert said.replace("'", "&#x27;") in answer.content.decode()
    assert not Run.objects.exists()


def test_a_double_click_starts_one_run_and_changed_input_another(client: Client) -> None:
    token = client.get("/start/page-order/").context["options"].initial["token"]
    first = client.post("/start/page-order/", {"run-token": token, **MINIMAL})
    second = client.post("/start/page-order/", {"run-token": token, **MINIMAL})
    assert first["Location"] == second["Location"]
    changed = client.post("/start/page-order/", {"run-token": token, **MINIMAL, "count": "3"})
    assert changed["Location"] != first["Location"]
    assert Run.objects.count() == 2


@pytest.mark.parametrize("token", ["", "short", "no token at all: spaces and so on"])
def test_a_form_without_its_token_is_refused(token: str, client: Client) -> None:
    answer = client.post("/start/page-nothing/", {"run-token": token})
    assert answer.status_code == 400
    assert "Open it again" in answer.content.decode()
    assert not Run.objects.exists()


def test_a_run_can_be_given_to_a_team_that_one_is_in(client: Client, team: Group, stranger: User) -> None:
    foreign = stranger.groups.get()
    refused = send(client, {"run-team": str(foreign.pk)}, job="page-nothing")
    assert (refused.status_code, Run.objects.count()) == (400, 0)
    send(client, {"run-team": str(team.pk)}, job="page-nothing")
    assert only_run().team == team


def test_input_without_a_form_is_given_as_json(client: Client) -> None:
    assert send(client, {RAW: "[1, 2]"}, job="page-list").status_code == 302
    assert only_run().input == [1, 2]
    refused = send(client, {RAW: '["x"]'}, job="page-list")
    assert refused.status_code == 400
    assert "valid integer" in refused.content.decode()


def test_any_input_can_be_given_as_json(client: Client) -> None:
    text = '{"title": "Box", "count": 2, "address": {"street": "Main", "number": 7}}'
    assert send(client, {RAW: text}, query="?json").status_code == 302
    assert only_run().input["count"] == 2
    unknown = send(client, {RAW: text.replace("count", "county")}, query="?json")
    assert unknown.status_code == 400
    assert "county" in unknown.content.decode()


@pytest.mark.parametrize("text", ['["\\u0000"]', '["\\ud800"]'])
def test_a_value_that_cannot_be_stored_is_told_and_starts_nothing(text: str, client: Client) -> None:
    answer = send(client, {RAW: text}, job="page-words")
    assert answer.status_code == 400
    assert "cannot be stored" in answer.content.decode()
    assert not Run.objects.exists()


def test_an_unknown_job_is_not_found(client: Client) -> None:
    answer = client.get("/start/no-such-job/")
    assert answer.status_code == 404
    assert "Choose one in the list of jobs" in answer.content.decode()


def test_a_password_is_never_written_back_into_the_form(client: Client) -> None:
    answer = send(client, MINIMAL | {"count": "0", "password": "hunter2"})
    assert "hunter2" not in answer.content.decode()
