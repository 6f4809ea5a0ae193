"""The pages of pipelines and agent flows: what there is, and each with its source and its runs."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from flows.agents import stored as stored_flows
from flows.agents.catalogue import find as find_flow
from flows.pipelines import starting, stored
from runs.models import Run

SignedIn = Callable[..., Client]


@pytest.fixture
def client(owner: User, signed_in: SignedIn) -> Client:
    return signed_in(owner)


def test_the_list_has_every_pipeline_and_every_flow(client: Client) -> None:
    page = client.get("/definitions/").content.decode()
    for href in ("/pipelines/summarise/", "/pipelines/triage/", "/flows/review-loop/"):
        assert f'href="{href}"' in page


def test_a_pipeline_shows_its_file_and_the_runs_that_one_may_see(client: Client, owner: User, stranger: User) -> None:
    mine = starting.start("summarise", owner=owner).run
    starting.start("triage", owner=owner)
    starting.start("summarise", owner=stranger)
    assert "One report of many sources" in client.get("/pipelines/summarise/?tab=source").content.decode()
    page = client.get("/pipelines/summarise/?tab=runs")
    assert [run.pk for run in page.context["runs"]] == [mine.pk]


@pytest.mark.parametrize("path", ["/pipelines/none/", "/pipelines/%00/", "/flows/none/"])
def test_an_unknown_definition_is_not_found(path: str, client: Client) -> None:
    assert client.get(path).status_code == 404


SOURCE = "type: kept\nversion: \"{}\"\nsteps:\n  - id: one\n    kind: map\n    config: {{expression: '{}'}}\n"


def test_versions_are_compared_by_what_people_wrote(client: Client, owner: User) -> None:
    for version, text in (("1", "1 + 1"), ("2", "1 + 2")):
        stored.store(SOURCE.format(version, text), creator=owner)
    page = client.get("/pipelines/kept/?tab=versions")
    assert [one.version for one in page.context["page"].versions] == ["2", "1"]
    change = page.context["change"]
    assert (change.old.version, change.new.version, change.is_whole) == ("1", "2", False)
    assert "+    config: {expression: '1 + 2'}" in change.text
    back = client.get(f"/pipelines/kept/?tab=versions&old={change.new.digest}&new={change.old.digest}")
    assert back.context["change"].new.version == "1"
    old = client.get(f"/pipelines/kept/?tab=source&version={change.old.digest}")
    assert "This is version 1" in old.content.decode()
    assert client.get("/pipelines/kept/?version=none").status_code == 404


def test_what_runs_hold_of_a_file_that_says_something_else_by_now_is_compared_whole(client: Client) -> None:
    made = find_flow("review-loop")
    stored_flows.pin(made.model_copy(update={"max_steps": 3}))
    page = client.get("/flows/review-loop/?tab=versions")
    change = page.context["change"]
    assert (change.old.origin, change.new.origin, change.is_whole) == ("pinned", "file", True)
    assert "-max_steps: 3" in change.text


def test_a_pipeline_is_started_by_its_form_and_again_like_a_run(client: Client, owner: User) -> None:
    path = "/pipelines/summarise/"
    token = client.get(path).context["options"].initial["token"]
    sent = {"run-token": token, "sources.~rows": ["0"], "sources.0.kind": "note", "sources.0.label": "a"}
    answer = client.post(path, sent | {"sources.0.content": "one\ntwo"})
    run = Run.objects.get()
    assert (answer["Location"], run.owner, run.labels) == (f"/runs/{run.pk}/", owner, {"pipeline": "summarise"})
    assert run.input["input"]["sources"][0]["content"] == "one\ntwo"
    like = client.get(f"/start/pipeline/?like={run.pk}", follow=True)
    assert like.context["form"]["sources.0.label"].value() == "a"
    code = client.post(path, sent | {"do": "code"})
    assert '"pipeline": "summarise"' in code.context["shown"].snippets[0].text


def test_a_flow_is_started_by_its_form_and_again_like_a_run(
    client: Client, stranger: User, signed_in: SignedIn
) -> None:
    path = "/flows/review-loop/"
    token = client.get(path).context["form"].initial["token"]
    sent = {"flow-token": token, "flow-task": "Fix it", "flow-max_steps": "5"}
    code = client.post(path, sent | {"do": "code"})
    assert '"task": "Fix it"' in code.context["snippets"][0].text
    assert not Run.objects.exists()
    client.post(path, sent)
    like = f"{path}?like={Run.objects.get().pk}"
    assert client.get(like).context["form"]["task"].value() == "Fix it"
    assert signed_in(stranger).get(like).status_code == 404
