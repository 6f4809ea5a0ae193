"""The example `expense`: passes small claims, asks about others, denies after seven days."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from hitl import answers
from runs import jobs
from runs.errors import InvalidInput
from runs.testing import advance, drain
from tests.hitl.conftest import driven_to_question, finished

ITEMS = ["Train: 148.50", "Hotel: 210"]


def claim(**fields: Any) -> dict[str, Any]:
    return {"purpose": "Visit", "items": ITEMS} | fields


@pytest.mark.usefixtures("transactional_db")
def test_a_claim_within_the_limit_asks_nobody() -> None:
    run = jobs.start("expense", claim(limit=400)).run
    drain()
    assert jobs.get(run.id).output == {"approved": True, "total": "358.50", "by": [], "comment": "Within the limit."}


def test_a_claim_above_it_waits_for_a_person(transactional_db: None, starter: User, alice: User, team: Group) -> None:
    question = driven_to_question(jobs.start("expense", claim(approvers=["alice"]), owner=starter, team=team).run)
    assert question.title == "Pay 358.50 for Visit?"
    assert question.context[-1] == {"what": "Total", "amount": "358.50"}
    answers.answer(question.id, alice, "approve", comment="Fine.", digest=question.digest)
    assert finished(question).output == {"approved": True, "total": "358.50", "by": ["alice"], "comment": "Fine."}


def test_a_claim_that_nobody_decides_is_denied(transactional_db: None, starter: User) -> None:
    question = driven_to_question(jobs.start("expense", claim(), owner=starter).run)
    advance(timedelta(days=7, seconds=1))
    output = finished(question).output
    assert (output["approved"], output["comment"]) == (False, "Nobody answered in time.")


def test_an_item_without_its_amount_is_refused(db: None) -> None:
    with pytest.raises(InvalidInput, match="not written as in"):
        jobs.start("expense", claim(items=["Train"]))
