"""A question is older than the code that goes on after its answer."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from hitl import answers
from hitl.models import Question
from hitl.questions import ask
from runs import jobs
from runs.jobs import StepContext, job
from runs.models import RunStatus
from runs.testing import advance, drain, temporary_jobs
from tests.hitl.conftest import driven_to_question, finished

pytestmark = pytest.mark.usefixtures("transactional_db")


def release(version: str, says: str) -> None:
    """Deploy a version of the job."""

    @job("release", version=version, timeout=timedelta(hours=1))
    async def _(step: StepContext) -> str:
        outcome = await ask(step, "ship?")
        return await step.run("ship", lambda: f"{says} {outcome.decision}")


def asked(starter: User) -> Question:
    with temporary_jobs():
        release("1", "old")
        return driven_to_question(jobs.start("release", owner=starter, version="1").run)


def test_an_approval_outlives_the_deployment_that_asked(starter: User, root: User) -> None:
    """It comes six days later, to newly deployed code of the same version; the job's timeout of an hour counts work."""
    question = asked(starter)
    advance(timedelta(days=6))
    with temporary_jobs():
        release("1", "mended")
        answers.answer(question.id, root, "approve", digest=question.digest)
        run = finished(question)
    assert (run.status, run.output) == (RunStatus.COMPLETED, "mended approve"), run.error


def test_an_approval_waits_for_a_worker_that_has_its_version(starter: User, root: User) -> None:
    question = asked(starter)
    with temporary_jobs():
        release("2", "new")
        answers.answer(question.id, root, "approve", digest=question.digest)
        assert drain() == []
        run = jobs.get(question.run_id)
        assert (run.status, run.job_version) == (RunStatus.QUEUED, "1"), "no other version takes it, nothing is lost"
    with temporary_jobs():
        release("1", "old")
        assert finished(question).output == "old approve"


def test_an_approval_that_no_longer_fits_the_code_holds_the_run_and_is_kept(starter: User, root: User) -> None:
    question = asked(starter)
    answers.answer(question.id, root, "approve", digest=question.digest)
    with temporary_jobs():

        @job("release", version="1")
        async def renamed(step: StepContext) -> str:
            outcome = await ask(step, "release?")
            return outcome.decision

        drain()
        run = jobs.get(question.run_id)
        assert (run.status, run.reason) == (RunStatus.PAUSED, "nondeterminism")
    with temporary_jobs():
        release("1", "mended")
        jobs.resume(run.id)
        assert finished(question).output == "mended approve"
    question.refresh_from_db()
    assert question.status == "answered"
