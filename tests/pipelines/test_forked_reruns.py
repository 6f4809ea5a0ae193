"""A fork of a rerun changes nothing that people said elsewhere, and reads nobody else's results."""

from collections import Counter

import pytest

from flows.pipelines.forks import decides_about_people
from flows.pipelines.naming import READ_DEFINITION
from flows.pipelines.starting import rerun, start
from hitl.answers import answer
from runs import jobs
from runs.errors import InvalidOption
from runs.models import RunStatus, Step
from runs.testing import run_to_end
from tests.pipelines.people import member
from tests.pipelines.test_checkpoints import ASKING, Use, waiting
from tests.pipelines.test_reruns import GIVEN, calls, ended

__all__ = ["calls"]

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_people_said_is_not_changed_by_way_of_a_rerun(own_pipelines: Use) -> None:
    own_pipelines(ASKING % ("true", "note"))
    run, question = waiting()
    owner = member("ann", "team")
    answer(question.id, owner, "submit", value={"note": "slowly"}, digest=question.digest)
    run_to_end(run)
    again = run_to_end(rerun(run.id, user=owner, from_step="work", reuse_upstream=True).run)
    copy = Step.objects.get(run=again, name="plan: copy").output
    for changes in ({"outputs": {"plan: copy": copy | {"answer": {"note": "forged"}}}}, {"input": again.input}):
        with pytest.raises(InvalidOption, match="decided"):
            jobs.fork(again.id, "work", **changes)


def test_a_fork_reads_no_run_that_its_owner_may_not_see(calls: Counter[str]) -> None:
    _, hidden = ended(calls)
    eve = member("eve", "others")
    own = run_to_end(start("six", GIVEN, owner=eve, team=eve.groups.get()).run)
    again = run_to_end(rerun(own.id, user=eve, from_step="s6", reuse_upstream=True).run)
    forged = again.input | {"rerun": again.input["rerun"] | {"of": str(hidden.id)}}
    fork = run_to_end(jobs.fork(again.id, "s1: copy", input=forged))
    assert fork.status == RunStatus.FAILED
    assert "RunNotFound" in fork.error["message"]
    assert not Step.objects.filter(run=fork, status="completed", name__endswith=": copy").exists()


def test_a_plan_of_a_tools_call_is_kept_only_with_the_call() -> None:
    assert decides_about_people({"send[0]: plan": False}, set())
    assert not decides_about_people({"send[0]: plan": False, "send[0]": []}, {"send[0]"})
    assert decides_about_people({"send[0]: plan": False, "send[0]": []}, {"send[0]: plan"})


def test_a_fork_is_of_the_definition_that_its_run_is_of(own_pipelines: Use) -> None:
    own_pipelines("type: p\nversion: '1'\nsteps: [{id: a, kind: map, prompt: {user: x}}]")
    run = run_to_end(start("p").run)
    document = Step.objects.get(run=run, name=READ_DEFINITION).output
    assert run_to_end(jobs.fork(run.id, "a")).status == RunStatus.COMPLETED
    risky = document | {"steps": [document["steps"][0] | {"approve": "none"}]}
    with pytest.raises(InvalidOption):
        jobs.fork(run.id, "a", outputs={READ_DEFINITION: risky})
