"""A question about a budget: who may answer it, what an answer does, and that it does so once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections

from hitl import answers, people
from hitl.errors import InvalidAnswer, MayNotAnswer, QuestionClosed
from hitl.models import Kind, Question
from perdure.accounts.tokens import create_token
from runs import jobs
from runs.errors import BudgetExceeded, InvalidOption
from runs.jobs import Budget, StepContext, current_attempt, job
from runs.models import Run, RunStatus
from runs.testing import drain, temporary_jobs
from tests.api.client import ApiClient, error_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _jobs() -> Any:
    with temporary_jobs():

        @job("spends", budget=Budget(tokens=100, cost=5))
        async def spends(step: StepContext) -> int:
            def call() -> int:
                current_attempt().usage(input_tokens=60, cost=0.5)
                return 60

            return sum([await step.run(f"call {number}", call) for number in range(4)])

        yield


@pytest.fixture
def run(starter: User, team: Group) -> Run:
    """Parked at 120 of 100 tokens."""
    made = jobs.start("spends", owner=starter, team=team).run
    drain()
    return jobs.get(made.id)


def asked(run: Run) -> Question:
    return Question.objects.get(run=run, status="open")


def test_it_is_a_limit_with_amounts_offered(run: Run) -> None:
    question = asked(run)
    assert (question.kind, question.title, question.step) == (Kind.LIMIT, "Grant more tokens?", "budget: tokens #1")
    assert "120 of 100 tokens" in question.body
    schema = question.schema or {}
    assert schema["required"] == ["tokens"]
    assert (schema["properties"]["tokens"]["default"], set(schema["properties"])) == (120, {"tokens", "cost"})


def test_the_team_answers_and_who_started_it_does_not(run: Run, starter: User, alice: User, mallory: User) -> None:
    question = asked(run)
    assert people.inbox(alice).get() == question
    assert not people.inbox(starter).exists()
    with pytest.raises(MayNotAnswer):
        answers.answer(question.id, starter, "approve", digest=question.digest)
    assert not people.visible_questions(mallory).exists()


@pytest.mark.parametrize(("value", "hard"), [(None, 220), ({"tokens": 500}, 600), ({"tokens": 500, "cost": 1}, 600)])
def test_an_approval_grants_what_it_says_or_what_was_offered(run: Run, alice: User, value: Any, hard: float) -> None:
    question = asked(run)
    answers.answer(question.id, alice, "approve", value, digest=question.digest)
    state = jobs.budget_state(jobs.get(run.id))
    assert state is not None
    assert state.limits["tokens"].hard == hard
    drain()
    assert jobs.get(run.id).output == 240


@pytest.mark.parametrize(
    "value", [{}, {"tokens": 0}, {"tokens": -1}, {"tokens": 1.5}, {"coins": 1}, {"tokens": 10**20}]
)
def test_amounts_that_grant_nothing_or_too_much_decide_nothing(run: Run, alice: User, value: Any) -> None:
    question = asked(run)
    with pytest.raises((InvalidAnswer, InvalidOption)):
        answers.answer(question.id, alice, "approve", value, digest=question.digest)
    assert asked(run) == question


def test_a_denial_fails_the_run_and_a_retry_asks_again(run: Run, alice: User) -> None:
    question = asked(run)
    answers.answer(question.id, alice, "deny", comment="Too dear.", digest=question.digest)
    drain()
    failed = jobs.get(run.id)
    assert (failed.status, failed.error["type"]) == (RunStatus.FAILED, "BudgetExceeded")
    jobs.retry(run.id)
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    again = asked(run)
    assert again.step == "budget: tokens #2"
    answers.answer(again.id, alice, "approve", {"tokens": 900}, digest=again.digest)
    drain()
    assert jobs.get(run.id).output == 240


def test_withdrawing_the_question_denies(run: Run, alice: User) -> None:
    answers.withdraw(asked(run).id, alice, "never mind")
    drain()
    assert jobs.get(run.id).error["type"] == "BudgetExceeded"


def test_code_that_catches_the_denial_takes_the_same_way_on_replay(starter: User, team: Group, alice: User) -> None:
    @job("careful", budget=Budget(tokens=0))
    async def careful(step: StepContext) -> str:
        try:
            await step.run("dear", lambda: "paid")
        except BudgetExceeded as exc:
            await step.wait_for_signal("go")
            return str(exc)
        return "never"

    run = jobs.start(careful, owner=starter, team=team).run
    drain()
    question = asked(run)
    answers.answer(question.id, alice, "deny", digest=question.digest)
    drain()
    jobs.signal(run.id, "go")
    drain()
    assert "0 of 0 tokens are spent" in jobs.get(run.id).output


def test_a_grant_without_the_question_withdraws_it(run: Run, alice: User) -> None:
    question = asked(run)
    jobs.grant_budget(run.id, {"tokens": 1000})
    with pytest.raises(QuestionClosed):
        answers.answer(question.id, alice, "deny", digest=question.digest)
    drain()
    assert jobs.get(run.id).output == 240


def test_an_administrator_may_answer_for_a_run_of_their_own(root: User) -> None:
    run = jobs.start("spends", owner=root).run
    drain()
    question = asked(run)
    answers.answer(question.id, root, "approve", {"tokens": 900}, digest=question.digest)
    drain()
    assert jobs.get(run.id).output == 240


def test_rest_shows_the_budget_and_grants_more_to_who_may(run: Run, starter: User, alice: User, mallory: User) -> None:
    address = f"/api/runs/{run.id}/budget/"
    error_of(ApiClient(None).send(address, {"tokens": 1}), 401, "not_authenticated")
    error_of(ApiClient(create_token(mallory, "t")).send(address, {"tokens": 1}), 404, "run_not_found")
    own, member = ApiClient(create_token(starter, "t")), ApiClient(create_token(alice, "t"))
    error_of(own.send(address, {"tokens": 1}), 403, "may_not_grant")
    for body in ({"tokens": "9"}, {"tokens": True}, {"coins": 1}, {"tokens": -1}, []):
        error_of(member.send(address, body), 400, "invalid_request")
    error_of(member.send(address, {}), 400, "invalid_option")
    error_of(member.send(address, {"steps": 5}), 400, "invalid_option")
    shown = own.get(f"/api/runs/{run.id}/").json()["budget"]
    assert shown == {
        "budget_of": str(run.id), "granted": {}, "parked": "tokens", "spent": {"tokens": 120, "cost": 1},
        "limits": {"tokens": {"soft": 80, "hard": 100}, "cost": {"soft": 4, "hard": 5}},
    }  # fmt: skip
    answered = member.send(address, {"tokens": 400}).json()
    assert (answered["budget"]["granted"], answered["budget"]["parked"]) == ({"tokens": 400}, "")
    assert own.get("/api/runs/").json()["results"][0]["budget"]["limits"]["tokens"]["hard"] == 500
    event = run.events.get(type="budget:grant")
    assert event.data["actor"]["kind"] == "token"
    assert not Question.objects.filter(status="open").exists()
    drain()
    error_of(member.send(address, {"tokens": 400}), 409, "run_already_ended")


def test_rest_starts_a_run_with_a_budget_of_its_own(starter: User, team: Group) -> None:
    client = ApiClient(create_token(starter, "t"))
    made = client.send("/api/runs/", {"job": "spends", "input": {}, "budget": {"tokens": 50, "steps": {"hard": 9}}})
    assert made.json()["budget"]["limits"]["steps"] == {"soft": pytest.approx(7.2), "hard": 9}
    refused = client.send("/api/runs/", {"job": "spends", "input": {}, "budget": {"tokens": 500}})
    error_of(refused, 400, "invalid_option")
    many = client.send("/api/runs/start/", {"runs": [{"job": "spends", "budget": {"tokens": 10}}]})
    state = jobs.budget_state(jobs.get(many.json()["runs"][0]["id"]))
    assert state is not None
    assert state.limits["tokens"].hard == 10


def test_an_answer_that_does_not_fit_says_which_amount(run: Run, alice: User) -> None:
    question = asked(run)
    with pytest.raises(InvalidAnswer) as caught:
        answers.answer(question.id, alice, "approve", {"tokens": "many"}, digest=question.digest)
    assert caught.value.fields[0]["field"] == "value.tokens"


def test_a_grant_and_a_denial_at_once_decide_once_and_wait_for_each_other_at_most(run: Run, alice: User) -> None:
    question = asked(run)
    start = threading.Barrier(3)

    def at_once(decide: Callable[[], Any]) -> str:
        try:
            start.wait(60)
            decide()
            return "done"
        except QuestionClosed:
            return "closed"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as threads:
        denied = threads.submit(at_once, lambda: answers.answer(question.id, alice, "deny", digest=question.digest))
        granted = [threads.submit(at_once, lambda: jobs.grant_budget(run.id, {"tokens": 500})) for _ in range(2)]
        told = [one.result(120) for one in [denied, *granted]]
    assert told[1:] == ["done", "done"]
    assert Question.objects.get(id=question.id).status == ("answered" if told[0] == "done" else "withdrawn")
    drain()
    assert jobs.get(run.id).output == 240  # what was granted later goes beyond what was denied
