"""How the parts of a definition fit together: what types alone cannot say."""

from collections import Counter
from collections.abc import Iterator

from flows.documents import Path
from flows.documents.problems import meant
from flows.llm.models import ProviderProfile
from flows.llm.profiles import DEFAULT
from flows.pipelines import step_rules
from flows.pipelines.spec import PipelineDef
from flows.pipelines.step_rules import Found
from runs.errors import InvalidOption
from runs.jobs import Budget


def problems_of(made: PipelineDef) -> list[Found]:
    """All that is wrong with a definition whose shape is right."""
    graph = [*_graph(made), *_budget(made)]
    return graph or [
        one._replace(path=("steps", index, *one.path))
        for index, step in enumerate(made.steps)
        for one in step_rules.problems_of(made, step)
    ]


def problems_of_stored(made: PipelineDef) -> list[Found]:
    """What an app's file may say and a stored document may not, and providers that are not there."""
    return [
        one._replace(path=("steps", index, *one.path))
        for index, step in enumerate(made.steps)
        for one in step_rules.risky(step)
    ]


def unknown_providers(made: PipelineDef) -> list[Found]:
    """Steps whose provider profile is not there. Asks the database."""
    wanted = {step.provider_profile_id for step in made.steps if step.provider_profile_id is not None}
    known = {DEFAULT, *ProviderProfile.objects.filter(pk__in=wanted).values_list("pk", flat=True)}
    return [
        Found(f"there is no provider profile {step.provider_profile_id!r}", ("steps", index, "provider_profile_id"))
        for index, step in enumerate(made.steps)
        if step.provider_profile_id is not None and step.provider_profile_id not in known
    ]


def _budget(made: PipelineDef) -> list[Found]:
    try:
        Budget.of(made.budget)
    except InvalidOption as exc:
        return [Found(str(exc), ("budget",))]
    return []


def ancestors(made: PipelineDef, step_id: str) -> set[str]:
    """The ids of all steps that a step depends on, also by way of others."""
    by_id = {step.id: step for step in made.steps}
    found: set[str] = set()
    left = list(by_id[step_id].depends_on)
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left.extend(by_id[one].depends_on)
    return found


def _graph(made: PipelineDef) -> Iterator[Found]:
    ids = [step.id for step in made.steps]
    for index, step in enumerate(made.steps):
        if ids.index(step.id) != index:
            yield Found(f"the step id {step.id!r} is used twice", ("steps", index, "id"))
        for place, dependency in enumerate(step.depends_on):
            where: Path = ("steps", index, "depends_on", place)
            if dependency not in ids:
                yield Found(f"there is no step {dependency!r}{meant(dependency, ids)}", where)
            elif step.depends_on.index(dependency) != place:
                yield Found(f"{dependency!r} stands here twice", where)
    if max(Counter(ids).values()) == 1:
        yield from _cycles(made)


def _cycles(made: PipelineDef) -> Iterator[Found]:
    """The first cycle, told as the way around."""
    left = {step.id: set(step.depends_on) for step in made.steps}
    known = set(left)
    while free := [step_id for step_id, needs in left.items() if not needs & left.keys()]:
        for step_id in free:
            del left[step_id]
    if not left:
        return
    way = [next(iter(left))]
    while way[-1] not in way[:-1]:
        way.append(min(left[way[-1]] & left.keys() & known))
    way = way[way.index(way[-1]) :]
    index = next(place for place, step in enumerate(made.steps) if step.id == way[0])
    told = " → ".join(reversed(way))
    yield Found(f"the steps wait for each other in a circle: {told}", ("steps", index, "depends_on"))
