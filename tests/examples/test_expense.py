"""The example `expense`: passes small claims; asks about others what they were for, for budget, and for approval."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from hitl import answers
from hitl.errors import InvalidAnswer, MayNotAnswer
from hitl.models import Question
from runs import jobs
from runs.errors import InvalidInput
from runs.models import Event, Run
from runs.testing import advance, drain
from tests.examples.conftest import Asked, question_of

CLAIM: dict[str, Any] = {"purpose": "Visit", "items": ["Train: 148.50", "Hotel: 210"], "budget": 400}
BOOKING = {"cost_centre": "sales", "reason": "Met Ann about the contract", "receipts": True}


def answer(question: Question, by: User, decision: str, value: Any = None, **more: str) -> None:
    answers.answer(question.id, by, decision, value, digest=question.digest, **more)


def ended(run: Run) -> dict[str, Any]:
    drain()
    run.refresh_from_db()
    assert run.status == "completed", run.error
    return dict(run.output)


@pytest.mark.usefixtures("here")
def test_a_claim_within_the_limit_asks_nobody() -> None:
    run = jobs.start("expense", CLAIM | {"limit": 400}).run
    output = ended(run)
    assert (output["approved"], output["total"], output["comment"]) == (True, "358.50", "Within the limit.")
    assert not run.questions.exists()


def test_a_larger_one_is_explained_in_a_form_and_then_approved(asked: Asked, sara: User, alice: User) -> None:
    booking = asked("expense", **CLAIM | {"approvers": ["alice"]})
    browser = Client()
    browser.force_login(sara)
    page = browser.get(f"/questions/{booking.id}/").content.decode()
    assert 'name="value-cost_centre"' in page
    assert 'type="checkbox" name="value-receipts"' in page
    sentence = browser.get(f"/runs/{booking.run_id}/").context["frame"].sentence
    assert "Waiting for input" in sentence
    assert f"{booking.deadline:%d %b %H:%M}" in sentence, "not until its next reminder"
    with pytest.raises(InvalidAnswer):
        answer(booking, sara, "submit", BOOKING | {"cost_centre": "mine"})
    answer(booking, sara, "submit", BOOKING)
    approval = question_of(booking.run)
    assert approval.title == "Pay 358.50 for Visit?"
    assert approval.context["items"][-1] == {"what": "Total", "amount": "358.50"}
    assert approval.context["booking"] == [BOOKING]
    answer(approval, alice, "approve", comment="Fine.")
    assert ended(booking.run) == {
        "approved": True, "total": "358.50", "by": ["alice"], "comment": "Fine.", "booking": BOOKING,
    }  # fmt: skip


def test_above_the_budget_that_is_raised_first(asked: Asked, sara: User, alice: User) -> None:
    booking = asked("expense", **CLAIM | {"budget": 300})
    answer(booking, sara, "submit", BOOKING)
    limit = question_of(booking.run)
    assert (limit.kind, limit.title) == ("limit", "Raise the budget from 300 for Visit?")
    with pytest.raises(InvalidAnswer):
        answer(limit, alice, "approve", {"amount": 358})
    answer(limit, alice, "approve", {"amount": 500})
    answer(question_of(booking.run), alice, "deny", comment="Take the bus.")
    output = ended(booking.run)
    assert (output["approved"], output["comment"]) == (False, "Take the bus.")


def test_a_budget_that_is_not_raised_ends_it(asked: Asked, sara: User, alice: User) -> None:
    booking = asked("expense", **CLAIM | {"budget": 300})
    answer(booking, sara, "submit", BOOKING)
    answer(question_of(booking.run), alice, "deny")
    assert ended(booking.run)["approved"] is False
    assert booking.run.questions.count() == 2


def test_after_two_days_the_managers_may_approve_it_too(asked: Asked, sara: User, alice: User) -> None:
    max_ = User.objects.create_user("max")
    booking = asked("expense", **CLAIM | {"approvers": ["alice"], "managers": ["max"], "starter_may_decide": False})
    answer(booking, sara, "submit", BOOKING)
    approval = question_of(booking.run)
    with pytest.raises(MayNotAnswer):
        answer(approval, sara, "approve")
    advance(timedelta(days=2, seconds=1))
    drain()
    answer(approval, max_, "approve")
    assert ended(booking.run)["by"] == ["max"]
    told = Event.objects.filter(run=booking.run, type__in=["question:remind", "question:escalate"])
    assert {event.type for event in told} == {"question:remind", "question:escalate"}


def test_a_claim_that_nobody_explains_or_decides_is_denied(asked: Asked, sara: User) -> None:
    silent = asked("expense", **CLAIM)
    waiting = asked("expense", **CLAIM)
    answer(waiting, sara, "submit", BOOKING)
    drain()
    advance(timedelta(days=7, seconds=1))
    assert ended(silent.run)["comment"] == "Nobody said what it was for."
    output = ended(waiting.run)
    assert (output["approved"], output["comment"]) == (False, "Nobody answered in time.")


def test_an_item_without_its_amount_is_refused(db: None) -> None:
    with pytest.raises(InvalidInput, match="not written as in"):
        jobs.start("expense", CLAIM | {"items": ["Train"]})
