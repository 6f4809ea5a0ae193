"""The start page: a form made from the job's JSON Schema, sent once, checked by field."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from perdure.dashboard.forms.schema_form import RAW
from runs import jobs
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
            "tags.~rows": ["0", "1", "4"],
            "tags.0": "red",
            "tags.1": "",
            "tags.4": " blue ",
            "numbers.~rows": ["1", "0"],
            "numbers.0": "2",
            "numbers.1": "1",
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
        ({"numbers.~rows": ["3"], "numbers.3": "x"}, "numbers.3", "whole number"),
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


def go_again(client: Client, run: Run, query: str = "") -> Any:
    return client.get(f"/start/{run.job}/?like={run.pk}{query}")


def test_one_like_a_run_begins_with_its_input_but_not_its_secrets(client: Client) -> None:
    send(client, MINIMAL | {"password": "hunter2", "tags.~rows": ["0"], "tags.0": "red"})
    run = only_run()
    page = go_again(client, run)
    assert (page.context["form"]["title"].value(), page.context["form"]["tags.0"].value()) == ("Box", "red")
    for shown in (page, go_again(client, run, "&json"), client.get("/start/page-order/")):
        assert "hunter2" not in shown.content.decode()
    assert "Secrets are not filled in" in page.content.decode()
    again = send(client, dict(page.context["form"].as_sent().lists()), query=f"?like={run.pk}")
    assert again.status_code == 302
    newest = Run.objects.order_by("-id")[0]
    assert newest.input == run.input | {"password": None}


def test_recent_inputs_and_the_run_that_is_still_going_are_offered(client: Client, owner: User) -> None:
    for _ in range(2):
        send(client, MINIMAL)
    page = client.get("/start/page-order/")
    around = page.context["around"]
    assert len(around.recent) == 1  # the same input once
    assert "title: Box" in around.recent[0].said
    assert [run.owner for run in around.going] == [owner, owner]
    assert f"/runs/{around.going[0].pk}/" in page.content.decode()


def test_strangers_get_neither_a_run_to_begin_with_nor_its_input(
    client: Client, stranger: User, signed_in: SignedIn
) -> None:
    send(client, MINIMAL)
    other = signed_in(stranger)
    assert go_again(other, only_run()).status_code == 404
    page = other.get("/start/page-order/")
    assert (page.context["around"].recent, page.context["around"].going) == ([], [])
    assert other.get("/start/page-order/?like=nonsense").status_code == 404
    assert client.get(f"/start/page-nothing/?like={only_run().pk}").status_code == 404


def test_the_code_is_of_what_was_typed_and_starts_nothing(client: Client) -> None:
    page = send(client, MINIMAL | {"do": "code", "password": "hunter2"})
    assert page.status_code == 200
    text = page.context["shown"].snippets[0].text
    assert '"title": "Box"' in text
    assert '"password": "***"' in text
    assert "hunter2" not in page.content.decode()
    assert not Run.objects.exists()
    wrong = send(client, MINIMAL | {"do": "code", "count": "0"})
    assert (wrong.status_code, wrong.context["shown"].snippets) == (400, [])


def test_form_and_json_are_two_views_of_what_was_typed(client: Client) -> None:
    shown = send(client, {"do": "json", "title": "Box", "password": "hunter2"}, query="?json")
    assert shown.status_code == 200
    value = json.loads(shown.context["form"][RAW].value())
    assert (value["title"], "password" in value) == ("Box", False)
    value |= {"count": 3, "tags": ["a", "b"]}
    back = send(client, {"do": "form", RAW: json.dumps(value)})
    form = back.context["form"]
    assert (form["count"].value(), form["tags.1"].value()) == (3, "b")
    stays = send(client, {"do": "form", RAW: json.dumps(value | {"unknown": 1})})
    assert "more than the form has fields for" in stays.content.decode()
    broken = send(client, {"do": "form", RAW: "{"})
    assert (broken.status_code, broken.context["form"][RAW].value()) == (400, "{")


def test_rows_are_added_without_scripts_and_nothing_is_complained_about(client: Client) -> None:
    page = send(client, {"title": "Box", "~edit": "add tags", "tags.~next": "0"})
    assert page.status_code == 200
    assert 'name="tags.0"' in page.content.decode()
    assert "errorlist" not in page.content.decode()
    assert not Run.objects.exists()


def test_what_can_be_started_is_found_by_its_words(client: Client) -> None:
    send(client, MINIMAL)
    everything = client.get("/jobs/")
    assert [one.name for one in everything.context["list"].recent] == ["page-order"]
    found = client.get("/jobs/?q=TAKE+order").context["list"]
    assert [one.name for _, ones in found.groups for one in ones] == ["page-order"]
    none = client.get("/jobs/?q=%3Cscript%3E")
    assert (none.context["list"].found, "<script>" in none.content.decode().split("<main", 1)[1]) == (0, False)


def test_a_run_of_a_flow_whose_name_no_page_can_have_is_started_again_by_the_jobs_form(
    client: Client, owner: User
) -> None:
    run = jobs.start("agent-flow", {"flow": "a/b"}, owner=owner).run
    answer = client.get(f"/start/agent-flow/?like={run.pk}")
    assert answer.status_code == 200
    assert "a/b" in answer.content.decode()
