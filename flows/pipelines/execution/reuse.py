"""What a rerun takes over from the run that it repeats."""

from typing import Any
from uuid import UUID

from flows.pipelines.execution.asking import QUESTION
from flows.pipelines.execution.scene import Scene
from flows.pipelines.forks import COPY
from flows.pipelines.naming import part_name, place_of
from flows.pipelines.results import items_of
from flows.pipelines.run_input import Rerun, RunInput
from flows.pipelines.spec import PipelineDef, StepDef
from flows.pipelines.validation import ancestors
from runs import jobs
from runs.errors import RunNotFound
from runs.models import Run, Step, StepStatus

FIND = "find the results to reuse"

_USABLE = (StepStatus.COMPLETED, StepStatus.SKIPPED)


async def find(step: jobs.StepContext, made: PipelineDef, rerun: Rerun | None) -> dict[str, list[str]]:
    """Which steps are taken over, and the names under which the other run recorded their results."""
    if rerun is None or not rerun.reuse_upstream or rerun.from_step is None:
        return {}
    found: dict[str, list[str]] = await step.run(FIND, recorded_before, step.run_id, rerun.of, made, rerun.from_step)
    return found


async def copied(scene: Scene, step: StepDef, names: list[str]) -> dict[str, Any]:
    """`{"items", "answer"}`: what the other run recorded for a step, in the order of its shards, and what people
    submitted after it; None where nobody did, or for other input than this run's."""
    name = part_name(step.id, None, COPY)
    return await scene.step.run(name, recorded, scene.step.run_id, scene.rerun_of, step.id, names)


def steps_before(made: PipelineDef, from_step: str) -> list[str]:
    """What stands before a step: all that it depends on, and all listed before it that do not depend on it."""
    ids = [step.id for step in made.steps]
    needed = ancestors(made, from_step)
    listed = ids[: ids.index(from_step)]
    return [one for one in ids if one in needed or (one in listed and from_step not in ancestors(made, one))]


def recorded_before(run_id: UUID, of: UUID, made: PipelineDef, from_step: str) -> dict[str, list[str]]:
    """By step id the names of its recorded results. A step that has not all of its results is left to run again.

    Raises RunNotFound for a run that the starter of this one may not see.
    """
    _check_visible(run_id, of)
    found: dict[str, list[str]] = {}
    for step_id in steps_before(made, from_step):
        rows = _results_of(of, step_id)
        step = made.step(step_id)
        needs = step.depends_on if step else []
        if rows and all(status in _USABLE for _, status in rows) and all(one in found for one in needs):
            found[step_id] = [name for name, _ in rows]
    return found


def recorded(run_id: UUID, of: UUID | None, step_id: str, names: list[str]) -> dict[str, Any]:
    """See `copied`. Raises RunNotFound: a fork may have another input than its steps were found for."""
    _check_visible(run_id, str(of))
    rows = dict(Step.objects.filter(run_id=str(of), name__in=names).values_list("name", "output"))
    items = [item for name in names for item in items_of(rows[name])]
    mine, theirs = (RunInput.model_validate(jobs.get(one).input).input for one in (run_id, str(of)))
    return {"items": items, "answer": _answer(str(of), step_id) if mine == theirs else None}


def _answer(of: str, step_id: str) -> Any:
    """What people submitted in that run, or in the one that it took the step over from."""
    done = Step.objects.filter(run_id=of, status=StepStatus.COMPLETED).order_by("-id")
    outcome = done.filter(name__startswith=part_name(step_id, None, f"{QUESTION}: outcome")).first()
    if outcome is not None:
        return (outcome.output or {}).get("value")
    copy = done.filter(name=part_name(step_id, None, COPY)).first()
    return None if copy is None else (copy.output or {}).get("answer")


def _results_of(run_id: UUID, step_id: str) -> list[tuple[str, str]]:
    rows = Step.objects.filter(run_id=run_id, name__startswith=step_id).values_list("name", "status")
    placed = [(place_of(name), name, status) for name, status in rows]
    own = [(place.index or 0, name, status) for place, name, status in placed
           if place is not None and place.is_result and place.step_id == step_id]  # fmt: skip
    return [(name, status) for _, name, status in sorted(own)]


def _check_visible(run_id: UUID, of: UUID | str) -> None:
    """A run may be started over any door with any input: nobody reads another team's results by that."""
    owner = jobs.get(run_id).owner
    old = Run.objects.filter(id=of) if owner is None else jobs.visible_runs(owner).filter(id=of)
    if not old.exists():
        raise RunNotFound(of)
