"""Whatever the shape of the DAG, each step runs once, after all that it depends on; a kill changes nothing."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.pipelines.execution.dag import Dag
from flows.pipelines.execution.scene import Scene
from flows.pipelines.registry import Work, pipeline_step
from flows.pipelines.spec import PipelineDef
from flows.pipelines.starting import start
from runs.models import Run, RunStatus, Step
from runs.testing import crash_after, drain, run_to_end

Use = Callable[..., None]


@st.composite
def pipelines(draw: st.DrawFn) -> dict[str, Any]:
    """Up to nine steps that depend on any before them, listed in any order."""
    count = draw(st.integers(1, 9))
    steps = []
    for number in range(count):
        needs = draw(st.sets(st.integers(0, number - 1), max_size=4)) if number else set()
        mode = draw(st.sampled_from(["single", "fanout", "per_item"] if needs else ["single", "fanout"]))
        steps.append(
            {"id": f"s{number}", "kind": "custom", "function": "note", "mode": mode, "on_failure": "continue",
             "depends_on": [f"s{one}" for one in sorted(needs)]}
        )  # fmt: skip
    return {"type": "p", "version": "1", "parallel": draw(st.integers(1, 4)), "steps": draw(st.permutations(steps))}


class Plain:
    """The steps of a run without a database: called at once, in an order that chance decides."""

    run_id = "r"

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.names: list[str] = []

    def options(self, **_: Any) -> "Plain":
        return self

    async def run(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        self.names.append(name)
        for _ in range(self.chance.randrange(4)):
            await asyncio.sleep(0)
        found = function(*args)
        return await found if asyncio.iscoroutine(found) else found

    async def skip(self, name: str, reason: str = "", value: Any = None) -> Any:
        self.names.append(name)
        return value

    def progress(self, *_: Any) -> None:
        return None


@given(pipelines(), st.integers(0, 2**16))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_step_runs_once_after_its_dependencies(document: dict[str, Any], seed: int) -> None:
    begun: list[str] = []
    under_way, most = 0, 0

    @pipeline_step("note")
    async def note(work: Work) -> str:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        begun.append(work.step_id)
        await asyncio.sleep(0)
        under_way -= 1
        return work.step_id

    made = PipelineDef.model_validate(document)
    step, sources = Plain(seed), [{"kind": "raw", "label": "a", "content": ""}] * 2

    async def drive() -> Scene:
        places = asyncio.Semaphore(made.parallel)
        scene = Scene(step, made, sources, {}, places)  # type: ignore[arg-type]  # what it uses of a StepContext
        await Dag(scene, {}).run()
        return scene

    scene = asyncio.run(drive())
    assert max(Counter(step.names).values()) == 1
    assert most <= made.parallel
    for one in made.steps:
        ran = [place for place, name in enumerate(begun) if name == one.id]
        before = [place for place, name in enumerate(begun) if name in one.depends_on]
        assert not ran or not before or max(before) < min(ran)
        assert len(ran) == len(scene.items.get(one.id, []))


KILLED = """
type: killed
version: '1'
parallel: 2
steps:
  - {id: a, kind: custom, function: call, mode: fanout}
  - {id: b, kind: custom, function: call}
  - {id: c, kind: custom, function: call, mode: per_item, depends_on: [a, b]}
  - {id: no, kind: custom, function: call, depends_on: [b], when: "index == 1"}
  - {id: d, kind: custom, function: fail, depends_on: [b], on_failure: skip}
  - {id: e, kind: custom, function: call, depends_on: [d]}
  - {id: f, kind: llm, depends_on: [c], prompt: {user: "{{ previous.c|map(attribute='data')|join }}"}, export: true}
"""
GIVEN = {"sources": [{"label": "x", "content": "1"}, {"label": "y", "content": "2"}]}


@pytest.fixture
def calls(own_pipelines: Use) -> Counter[str]:
    made: Counter[str] = Counter()

    @pipeline_step("call")
    async def call(work: Work) -> str:
        made[f"{work.step_id}{work.index if work.index is not None else ''}"] += 1
        await asyncio.sleep(0)
        return work.step_id

    @pipeline_step("fail")
    async def fail(work: Work) -> str:
        made[work.step_id] += 1
        raise ValueError("always")

    own_pipelines(KILLED)
    return made


def recorded(run: Run) -> list[Any]:
    rows = Step.objects.filter(run=run).order_by("branch", "position")
    return list(rows.values_list("name", "kind", "branch", "position", "status", "output"))


def result(call: str) -> str:
    """The step that records what `a1` gives: its result was recorded, whatever the next one has come to."""
    return f"{call[0]}[{call[1:]}]" if call[1:] else call


@pytest.mark.django_db(transaction=True)
def test_a_kill_at_each_step_changes_nothing(calls: Counter[str]) -> None:
    reference = run_to_end(start("killed", GIVEN).run)
    assert reference.status == RunStatus.COMPLETED, reference.error
    plain = Counter(calls)
    assert set(plain.values()) == {1}
    for at in Step.objects.filter(run=reference).values_list("name", flat=True).order_by("id"):
        calls.clear()
        run = start("killed", GIVEN).run
        with crash_after(at, run=run):
            drain()
        done = {row[0] for row in recorded(run) if row[4] in ("completed", "failed", "skipped")}
        kept = Counter({name: count for name, count in calls.items() if result(name) in done})
        run_to_end(run)
        run.refresh_from_db()
        assert (run.status, run.output) == (RunStatus.COMPLETED, reference.output), f"killed after {at}: {run.error}"
        assert recorded(run) == recorded(reference)
        assert {name: calls[name] for name in kept} == kept, f"killed after {at}: a recorded step was called again"
        assert calls.keys() == plain.keys()
