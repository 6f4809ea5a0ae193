"""A run is run again from a step on: what stands before it is taken over, and nobody reads others' results by that."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from flows.pipelines.errors import StepNotInPipeline
from flows.pipelines.registry import Work, pipeline_step
from flows.pipelines.starting import rerun, start
from runs import jobs
from runs.errors import HistoryPruned, RunNotFinished, RunNotFound
from runs.models import Run, RunStatus, Step
from runs.testing import drain, run_to_end
from tests.pipelines.people import member

pytestmark = pytest.mark.django_db(transaction=True)

Use = Callable[..., None]

SIX = """
type: six
version: '1'
steps:
  - {id: s1, kind: custom, function: call}
  - {id: s2, kind: custom, function: call, mode: fanout, depends_on: [s1]}
  - {id: s3, kind: custom, function: call, mode: per_item, depends_on: [s2]}
  - {id: s4, kind: custom, function: call, depends_on: [s3]}
  - {id: s5, kind: custom, function: call, depends_on: [s2]}
  - {id: s6, kind: custom, function: call, depends_on: [s4, s5], export: true}
"""
GIVEN = {"sources": [{"label": "a", "content": "1"}, {"label": "b", "content": "2"}]}


@pytest.fixture
def calls(own_pipelines: Use) -> Counter[str]:
    made: Counter[str] = Counter()

    @pipeline_step("call")
    def call(work: Work) -> str:
        made[work.step_id] += 1
        given = [item["data"]["text"] for items in work.items.values() for item in items]
        return f"{work.step_id}({work.item['data']['text'] if work.item else '+'.join(given)})"

    own_pipelines(SIX)
    return made


def ended(calls: Counter[str]) -> tuple[Any, Run]:
    owner = member("ann", "team")
    run = run_to_end(start("six", GIVEN, owner=owner, team=owner.groups.get()).run)
    assert run.status == RunStatus.COMPLETED, run.error
    calls.clear()
    return owner, run


def test_with_reuse_only_the_step_and_those_after_it_run(calls: Counter[str]) -> None:
    owner, old = ended(calls)
    new = run_to_end(rerun(old.id, user=owner, from_step="s4", reuse_upstream=True).run)
    assert new.status == RunStatus.COMPLETED, new.error
    assert calls == {"s4": 1, "s5": 1, "s6": 1}
    assert new.output["items"] == old.output["items"]
    skipped = Step.objects.filter(run=new, status="skipped").order_by("name")
    assert [step.name for step in skipped] == ["s1", "s2", "s3"]
    assert skipped[1].output == [Step.objects.get(run=old, name=f"s2[{index}]").output for index in (0, 1)]


def test_a_rerun_of_a_rerun_takes_over_what_that_one_had(calls: Counter[str]) -> None:
    owner, old = ended(calls)
    new = run_to_end(rerun(old.id, user=owner, from_step="s4", reuse_upstream=True).run)
    calls.clear()
    newest = run_to_end(rerun(new.id, user=owner, from_step="s6", reuse_upstream=True).run)
    assert (calls, newest.output["items"]) == ({"s6": 1}, old.output["items"])


def test_without_reuse_everything_runs_again_with_other_input(calls: Counter[str]) -> None:
    owner, old = ended(calls)
    new = run_to_end(rerun(old.id, user=owner, override_input={"sources": GIVEN["sources"][:1]}).run)
    assert calls == {"s1": 1, "s2": 1, "s3": 1, "s4": 1, "s5": 1, "s6": 1}
    assert (new.input["mode"], new.input["rerun"]["of"]) == ("rerun", str(old.id))
    assert (new.team, new.labels) == (old.team, old.labels)


def test_a_failed_run_is_run_again_from_the_step_that_failed(calls: Counter[str], own_pipelines: Use) -> None:
    failing = True

    @pipeline_step("fails")
    def fails(work: Work) -> str:
        if failing:
            raise ValueError("not yet")
        return "now"

    own_pipelines(SIX.replace("id: s3, kind: custom, function: call", "id: s3, kind: custom, function: fails"))
    owner = member("ann")
    old = run_to_end(start("six", GIVEN, owner=owner).run)
    assert old.status == RunStatus.FAILED
    calls.clear()
    failing = False
    new = run_to_end(rerun(old.id, user=owner, from_step="s3", reuse_upstream=True).run)
    assert new.status == RunStatus.COMPLETED, new.error
    assert calls == {"s4": 1, "s5": 1, "s6": 1}


def test_what_was_not_recorded_runs_again_with_all_that_depends_on_it(calls: Counter[str]) -> None:
    owner, old = ended(calls)
    Step.objects.filter(run=old, name="s2[1]").update(status="failed")
    new = run_to_end(rerun(old.id, user=owner, from_step="s6", reuse_upstream=True).run)
    assert new.status == RunStatus.COMPLETED, new.error
    assert calls == {"s2": 2, "s3": 2, "s4": 1, "s5": 1, "s6": 1}


def test_strangers_do_not_learn_of_the_run(calls: Counter[str]) -> None:
    _, old = ended(calls)
    with pytest.raises(RunNotFound):
        rerun(old.id, user=member("eve", "others"))
    with pytest.raises(RunNotFound):
        rerun(uuid4(), user=member("eve"))


def test_a_run_started_with_anothers_results_in_its_input_reads_nothing(calls: Counter[str]) -> None:
    _, old = ended(calls)
    forged = old.input | {"rerun": {"of": str(old.id), "from_step": "s6", "reuse_upstream": True}}
    run = run_to_end(jobs.start("pipeline", forged, owner=member("eve", "others")).run)
    assert run.status == RunStatus.FAILED
    assert "RunNotFound" in run.error["message"]
    assert not calls


def test_a_rerun_names_a_step_of_the_pipeline_and_an_ended_run_with_its_history(calls: Counter[str]) -> None:
    owner, old = ended(calls)
    with pytest.raises(StepNotInPipeline, match="step nope not found in pipeline 'six'"):
        rerun(old.id, user=owner, from_step="nope")
    Run.objects.filter(id=old.id).update(first_sequence=5)
    with pytest.raises(HistoryPruned):
        rerun(old.id, user=owner, from_step="s4", reuse_upstream=True)
    waiting = start("six", GIVEN, owner=owner).run
    with pytest.raises(RunNotFinished):
        rerun(waiting.id, user=owner)
    drain()
