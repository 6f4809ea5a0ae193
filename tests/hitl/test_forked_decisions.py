"""A fork is no way round people: it changes nothing that they decided about, and who forks decides nothing of it."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import F
from django.test import Client

from hitl import answers
from hitl.errors import MayNotAnswer
from hitl.models import Question
from perdure.accounts.tokens import create_token
from runs import jobs
from runs.errors import InvalidOption
from runs.models import Event, Run
from runs.testing import drain
from tests.api.client import ApiClient, error_of
from tests.hitl.conftest import Asks, finished

APPROVED = {"decision": "approve", "value": None, "answers": []}


@pytest.fixture
def denied(asks: Asks, alice: User) -> Run:
    question = asks()
    answers.answer(question.id, alice, "deny", digest=question.digest)
    return finished(question)


@pytest.mark.parametrize(
    "changed",
    [
        {"outputs": {"merge?: outcome": APPROVED}},
        {"outputs": {"before": "something else"}},
        {"input": {"starter_may_answer": True}},
    ],
)
def test_what_was_decided_about_is_not_changed(denied: Run, starter: User, changed: dict[str, Any]) -> None:
    client = ApiClient(create_token(starter, "tests"))
    refused = error_of(client.send(f"/api/runs/{denied.id}/fork/", {"step": "after", **changed}), 400, "invalid_option")
    assert "decided" in refused["message"]
    assert Run.objects.get().id == denied.id


def test_a_fork_of_a_fork_is_no_way_round(denied: Run) -> None:
    fork = jobs.fork(denied.id, "after")
    drain()
    assert jobs.get(fork.id).output["after"] == "deny"
    with pytest.raises(InvalidOption, match="decided"):
        jobs.fork(fork.id, "after", outputs={"merge?: outcome": APPROVED})


def test_a_fork_before_the_question_asks_again_and_who_forked_does_not_decide(
    denied: Run, starter: User, alice: User
) -> None:
    client = ApiClient(create_token(alice, "tests"))
    made = client.send(f"/api/runs/{denied.id}/fork/", {"step": "merge?", "outputs": {"before": "something else"}})
    assert (made.status_code, made.json()["owner"]) == (201, "alice")
    drain()
    question = Question.objects.get(run=made.json()["id"])
    with pytest.raises(MayNotAnswer):
        answers.answer(question.id, alice, "approve", digest=question.digest)
    answers.answer(question.id, starter, "approve", digest=question.digest)
    assert finished(question).output["before"] == "something else"


def test_who_starts_a_run_again_is_its_starter(denied: Run, alice: User, bob: User) -> None:
    assert ApiClient(create_token(alice, "tests")).send(f"/api/runs/{denied.id}/retrigger/").json()["owner"] == "alice"
    client = Client()
    client.force_login(bob)
    client.post(f"/runs/{denied.id}/again/")
    assert Run.objects.order_by("id").last().owner == bob


@pytest.fixture
def denied_below(transactional_db: None, starter: User, team: Group, alice: User) -> Run:
    """A run whose child's child asked people."""
    top = jobs.start("top-of-family", None, owner=starter, team=team).run
    drain()
    question = Question.objects.get()
    answers.answer(question.id, alice, "deny", digest=question.digest)
    drain()
    found = jobs.get(top.id)
    assert found.output == "deny after prepared", found.error
    return found


@pytest.mark.parametrize("changed", [{"outputs": {"middle": {"after": "approve"}}}, {"outputs": {"before": "else"}}])
def test_what_was_decided_in_a_child_run_is_not_changed(
    denied_below: Run, starter: User, changed: dict[str, Any]
) -> None:
    client = ApiClient(create_token(starter, "tests"))
    sent = client.send(f"/api/runs/{denied_below.id}/fork/", {"step": "after", **changed})
    assert "decided" in error_of(sent, 400, "invalid_option")["message"]
    assert Run.objects.filter(job="top-of-family").count() == 1


def test_a_fork_of_a_fork_is_no_way_round_for_a_child_either(denied_below: Run) -> None:
    fork = jobs.fork(denied_below.id, "after")
    drain()
    assert jobs.get(fork.id).output == denied_below.output
    with pytest.raises(InvalidOption, match="decided"):
        jobs.fork(fork.id, "after", outputs={"middle": {"after": "approve"}})


def test_a_child_run_whose_history_is_gone_may_have_asked(denied_below: Run) -> None:
    Run.objects.filter(job="ask-approval").update(first_sequence=F("last_sequence") + 1)
    Event.objects.filter(run__job="ask-approval").delete()
    with pytest.raises(InvalidOption, match="decided"):
        jobs.fork(denied_below.id, "after", outputs={"middle": {"after": "approve"}})


def test_a_fork_before_the_child_asks_again(denied_below: Run) -> None:
    fork = jobs.fork(denied_below.id, "middle", outputs={"before": "something else"})
    drain()
    assert jobs.get(fork.id).status == "waiting"
    assert Question.objects.filter(status="open").count() == 1
