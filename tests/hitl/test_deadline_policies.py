"""What a missed deadline decides is checked when the question is asked, and given as if somebody had decided it."""

from datetime import timedelta
from typing import Any

import pytest

from hitl.models import Question
from hitl.questions import Approve, Deny, Fail, Value, ask
from runs import jobs
from runs.jobs import StepContext, job
from runs.testing import advance, drain, temporary_jobs
from tests.hitl.jobs import Budget

DAY = timedelta(days=1)
CALL = {"context": {"name": "rm", "arguments": {"path": "/"}}}
KEPT: dict[str, tuple[dict[str, Any], tuple[str, Any]]] = {
    "approval denied": ({"on_timeout": Deny()}, ("deny", None)),
    "approval approved": ({"on_timeout": Approve()}, ("approve", None)),
    "approval failed": ({"on_timeout": Fail()}, ("failed", "QuestionExpired")),
    "approval without a word": ({}, ("failed", "QuestionExpired")),
    "input given": (
        {"kind": "input", "schema": Budget, "on_timeout": Value({"amount": 7})}, ("submit", {"amount": 7, "reason": ""})
    ),
    "choice given": ({"kind": "choice", "choices": ["a", "b"], "on_timeout": Value("b")}, ("choose", "b")),
    "call denied": ({"kind": "tool_call", **CALL, "on_timeout": Deny()}, ("deny", None)),
    "call approved as shown": ({"kind": "tool_call", **CALL, "on_timeout": Approve()}, ("approve", None)),
    "call edited": (
        {"kind": "tool_call", **CALL, "on_timeout": Value({"path": "/tmp"})}, ("approve", {"path": "/tmp"})
    ),
    "limit raised": (
        {"kind": "limit", "schema": {"type": "integer"}, "on_timeout": Value(5)}, ("approve", 5)
    ),
}  # fmt: skip
REFUSED: dict[str, dict[str, Any]] = {
    "an input is not denied": {"kind": "input", "schema": Budget, "on_timeout": Deny()},
    "a choice is not approved": {"kind": "choice", "choices": ["a"], "on_timeout": Approve()},
    "an approval takes no value": {"on_timeout": Value(1)},
    "none of the choices": {"kind": "choice", "choices": [1], "on_timeout": Value(True)},
    "not by the schema": {"kind": "input", "schema": Budget, "on_timeout": Value({"amount": 0})},
    "no arguments": {"kind": "tool_call", **CALL, "on_timeout": Value(5)},
    "no JSON": {"kind": "limit", "on_timeout": Value({1, 2})},
    "no number": {"kind": "limit", "on_timeout": Value(float("nan"))},
    "no deadline": {"on_timeout": Deny(), "deadline": None},
}


@pytest.mark.usefixtures("transactional_db")
def test_each_policy_decides_as_somebody_would_have() -> None:
    with temporary_jobs():

        @job("asks-in-vain")
        async def asks_in_vain(step: StepContext, name: str) -> Any:
            outcome = await ask(step, "ok?", deadline=DAY, **KEPT[name][0])
            assert outcome.timed_out
            value = outcome.value.model_dump() if isinstance(outcome.value, Budget) else outcome.value
            return [outcome.decision, value]

        runs = {name: jobs.start(asks_in_vain, name).run.id for name in KEPT}
        drain()
        assert Question.objects.filter(status="open").count() == len(KEPT)
        advance(DAY + timedelta(seconds=1))
        drain()
    ended = {name: jobs.get(run_id) for name, run_id in runs.items()}
    got = {name: tuple(run.output or ("failed", (run.error or {}).get("type"))) for name, run in ended.items()}
    assert got == {name: expected for name, (_, expected) in KEPT.items()}


@pytest.mark.usefixtures("transactional_db")
def test_a_policy_that_cannot_decide_is_refused_when_it_is_asked() -> None:
    with temporary_jobs():

        @job("asks-badly")
        async def asks_badly(step: StepContext, name: str) -> None:
            await ask(step, "ok?", **({"deadline": DAY} | REFUSED[name]))

        runs = {name: jobs.start(asks_badly, name).run.id for name in REFUSED}
        drain()
    errors = {name: (jobs.get(run_id).error or {}).get("type") for name, run_id in runs.items()}
    assert errors == dict.fromkeys(REFUSED, "InvalidQuestion")
    assert not Question.objects.exists()
