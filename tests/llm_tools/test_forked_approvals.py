"""A fork is no way round approvals: what was planned of a call that is still to be made is not changed under it."""

from typing import Any

import pytest

from flows.llm.tools.forks import decides_about_calls
from runs import jobs
from runs.errors import InvalidOption
from runs.models import Run, Step
from runs.testing import drain
from tests.llm_tools.conftest import Performs, driven, question_of
from tests.llm_tools.jobs import called
from tests.llm_tools.test_approvals import MAIL

PLAN = "draft: calls#1"
FREE: list[Any] = [{"problem": "", "needs_approval": False}]


def first_open(run: Run) -> str:
    return str(Step.objects.filter(run=run, name__startswith="draft: send_mail").order_by("id")[0].name)


def test_a_plan_is_not_changed(performs: Performs) -> None:
    run = performs(MAIL)
    with pytest.raises(InvalidOption, match="decide"):
        jobs.fork(run.id, first_open(run), outputs={PLAN: FREE})
    drain()
    assert called["send_mail"] == 0


def test_what_it_was_planned_for_is_not_changed_under_it(performs: Performs) -> None:
    run = performs(MAIL)
    with pytest.raises(InvalidOption, match="decide"):
        jobs.fork(run.id, first_open(run), input=run.input)


def test_a_fork_that_asks_or_plans_again_may_be_made(performs: Performs) -> None:
    run = performs(MAIL)
    for step, changes in ((first_open(run), {}), (PLAN, {"input": run.input})):
        fork = driven(jobs.fork(run.id, step, **changes))
        assert question_of(fork).step == "draft: send_mail#1.1: approval"


def test_a_plan_that_is_done_is_in_nobodys_way() -> None:
    done = {PLAN: [*FREE, {"problem": "There is no tool nope."}], "draft: send_mail#1.1": "sent"}
    assert not decides_about_calls(done, {"draft: send_mail#1.1"})
    assert decides_about_calls(done, {PLAN})
    assert decides_about_calls(done | {"second: calls#1": FREE}, set())
