"""What the model calls of a pipeline's run were asked: its templates, filled again with what the run has recorded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flows.pipelines.errors import TemplateRefused
from flows.pipelines.execution.asking import QUESTION
from flows.pipelines.execution.modelled import PART
from flows.pipelines.naming import part_name, place_of
from flows.pipelines.results import items_of
from flows.pipelines.shards import shards_of
from flows.pipelines.shown import find_definition
from flows.pipelines.spec import PipelineDef, StepDef
from flows.pipelines.templates.given import Given, readable
from flows.pipelines.templates.rendering import render
from runs import jobs
from runs.models import Run, Step


@dataclass(frozen=True, slots=True)
class Asked:
    """Empty where the step has no such template."""

    system: str
    user: str


def prompts_of(run: Run, names: Iterable[str]) -> dict[str, Asked]:
    """By the name of a model call's step; those whose prompt cannot be made any more are left out.

    Secrets of the input and of results are `***` in it, as they are wherever those are shown.
    """
    made = find_definition(run)
    wanted = [(name, place) for name in names if (place := place_of(name)) is not None and place.part == PART]
    if made is None or not wanted:
        return {}
    steps = {step_id: step for _, place in wanted if (step := made.step(step_id := place.step_id)) is not None}
    given, items = _read_given(run, made, steps.values())
    asked = {
        name: _asked(steps[place.step_id], place.index, given, items)
        for name, place in wanted
        if place.step_id in steps
    }
    return {name: found for name, found in asked.items() if found is not None}


def _asked(step: StepDef, index: int | None, given: Given, items: Mapping[str, list[dict[str, Any]]]) -> Asked | None:
    shards = shards_of(step, given.sources, {one: items.get(one, []) for one in step.depends_on})
    shard = next((one for one in shards if one.index == index), None)
    if shard is None or step.prompt is None:
        return None
    values = given.values_for(step, shard)
    try:
        return Asked(render(step.prompt.system, values).strip(), render(step.prompt.user, values).strip())
    except TemplateRefused:
        return None


def _read_given(run: Run, made: PipelineDef, steps: Iterable[StepDef]) -> tuple[Given, dict[str, list[dict[str, Any]]]]:
    needed = {one for step in steps for one in step.depends_on}
    wanted = run.input.get("input") or {} if isinstance(run.input, dict) else {}
    shown = jobs.redact(run.input, run.secrets.get("input", [])).get("input") or {} if wanted else {}
    sources = [_without_none(one) for one in shown.get("sources") or []]
    items = _items(run, needed)
    answers = _answers(run, needed)
    prints = {step_id: [readable(item) for item in found] for step_id, found in items.items()}
    return Given(str(run.pk), made, sources, shown.get("options") or {}, prints, answers), items


def _without_none(source: Any) -> Any:
    return {name: value for name, value in source.items() if value is not None} if isinstance(source, dict) else source


def _items(run: Run, step_ids: set[str]) -> dict[str, list[dict[str, Any]]]:
    """The items that each of these steps gave, its shards in order."""
    names = run.steps.values_list("name", flat=True)
    places = {name: place for name in names if (place := place_of(name)) and place.is_result}
    of_them = [name for name, place in places.items() if place.step_id in step_ids]
    found: dict[str, list[tuple[int, list[dict[str, Any]]]]] = {}
    for step in Step.objects.filter(run=run, name__in=of_them, output__isnull=False):
        place = places[step.name]
        given = items_of(jobs.redact(step.output, step.secrets))
        found.setdefault(place.step_id, []).append((place.index or 0, given))
    return {step_id: [item for _, given in sorted(parts, key=lambda part: part[0]) for item in given]
            for step_id, parts in found.items()}  # fmt: skip


def _answers(run: Run, step_ids: set[str]) -> dict[str, Any]:
    names = {f"{part_name(one, None, QUESTION)}: outcome": one for one in step_ids}
    steps = Step.objects.filter(run=run, name__in=names)
    outputs = ((names[step.name], jobs.redact(step.output, step.secrets)) for step in steps)
    return {step_id: output["value"] for step_id, output in outputs if isinstance(output, dict) and "value" in output}
