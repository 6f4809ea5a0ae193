"""A scenario speaks for agents and judges: only code and commands may give one, and a fork changes none."""

import pytest

from flows.agents import permit, stored
from runs import jobs
from runs.models import Run, RunStatus
from runs.testing import run_to_end
from tests.agents.flow_runs import begin
from tests.pipelines.people import member

pytestmark = pytest.mark.django_db(transaction=True)

FLOW = "name: f\nsteps:\n  - {name: work, agent: You work., rules: [{condition: approved, next: COMPLETE}]}\n"
SIGNED = [{"content": "[work:1]", "tool_use": [{"tool": "x", "input": {"number": 1e20, "other": 2}}]}]
FORGED = [{"content": "[work:1]"}]


def test_one_that_code_gives_is_taken():
    assert run_to_end(begin(FLOW, SIGNED)).status == RunStatus.COMPLETED


@pytest.mark.parametrize("key", ["", permit.sign(SIGNED[:0])])
def test_one_that_comes_with_the_input_of_a_run_is_refused(key: str):
    stored.store(FLOW)
    given = {"flow": "f", "scenario": FORGED, "scenario_key": key}
    run = run_to_end(jobs.start("agent-flow", given, owner=member("ann", "team")).run)
    assert run.status == RunStatus.FAILED
    assert "ScenarioNotAllowed" in str(run.error)
    assert "Leave it out" in run.error["message"]


def test_a_fork_cannot_put_one_in_place_of_another():
    run = run_to_end(begin(FLOW, SIGNED))
    given = {**Run.objects.get(id=run.id).input, "scenario": FORGED}
    forked = jobs.fork(run.id, "1. work: instruction", input=given, starter=member("ann", "team"))
    forked = run_to_end(forked)
    assert (forked.status, forked.error["type"]) == (RunStatus.FAILED, "ScenarioNotAllowed")
