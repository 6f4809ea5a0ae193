"""Several runs were driven by every worker that died: each is tried alone, and only the one that kills is paused."""

from datetime import timedelta

from runs import jobs
from runs.engine.trials import TRIAL
from runs.jobs import Job, StepContext, job
from runs.models import Run, RunStatus
from runs.testing import advance, claim_for, drain, freeze, frozen_worker
from tests.engine.driver import begin


def one_of_many() -> Job:
    @job("one-of-many")
    async def one_of_many(step: StepContext) -> str:
        return await step.run("work", lambda: "done")

    return one_of_many


def crash(times: int) -> None:
    """Claim all that may be claimed and die, as often."""
    for _ in range(times):
        worker = frozen_worker()
        claim_for(worker)
        worker.delete()


def test_each_worker_tries_one_run_with_one_claim_left_at_a_time() -> None:
    made = one_of_many()
    for _ in range(3):
        begin(made)
    crash(4)
    worker, other = frozen_worker(), frozen_worker()
    tried = [claim_for(worker), claim_for(other)]
    assert [[run.claims for run in runs] for runs in tried] == [[5], [5]]
    assert claim_for(worker) == claim_for(other) == []
    fresh = begin(made)
    assert [run.id for run in claim_for(worker)] == [fresh.id], "a trial holds up nothing else"


def test_only_the_run_whose_worker_dies_in_its_trial_is_paused() -> None:
    made = one_of_many()
    poisonous, *others = [begin(made) for _ in range(4)]
    crash(5)  # the last time, the first run was alone
    drain()
    assert (jobs.get(poisonous.id).status, jobs.get(poisonous.id).reason) == (RunStatus.PAUSED, "crash_loop")
    assert [jobs.get(run.id).output for run in others] == ["done"] * 3


def test_a_run_that_lives_long_enough_is_cleared_without_a_step() -> None:
    made = one_of_many()
    for _ in range(2):
        begin(made)
    with freeze():
        crash(4)
        worker = frozen_worker()
        assert len(claim_for(worker)) == 1
        advance(TRIAL - timedelta(seconds=1))
        assert claim_for(worker) == []
        advance(timedelta(seconds=2))
        assert len(claim_for(worker)) == 1
    assert Run.objects.filter(status=RunStatus.RUNNING).count() == 2
