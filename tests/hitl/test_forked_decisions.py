"""A fork is no way round people: it changes nothing that they decided about, and who forks decides nothing of it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from hitl import answers
from hitl.errors import MayNotAnswer
from hitl.models import Question
from perdure.accounts.tokens import create_token
from runs import jobs
from runs.errors import InvalidOption
from runs.models import Run
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
