"""Calls of other flows: they are there, may be called, take what is handed over, and never come back to this one."""

from collections.abc import Callable, Iterator

from flows.agents.rules.computing import label
from flows.agents.rules.conditions import parse
from flows.agents.spec import ABORT, COMPLETE, Flow, Step
from flows.agents.validation.found import Found, Placed, all_steps, one_of
from flows.documents import Path
from flows.documents.problems import meant

Find = Callable[[str, str | None], Flow | None]
"""A flow by its name and version; None where there is none."""

TASK = "task"
"""Every call may give it: what is to be done, in place of the caller's own task."""


def problems_of(flow: Flow, find: Find) -> Iterator[Found]:
    for placed in all_steps(flow):
        if placed.step.call is not None:
            yield from _call(flow, placed, placed.step.call, find)


def _call(flow: Flow, placed: Placed, name: str, find: Find) -> Iterator[Found]:
    step, path = placed.step, placed.path
    called = flow if name == flow.name else find(name, step.call_version)
    if called is None:
        which = f"{name[:60]!r}" + (f" in version {step.call_version!r}" if step.call_version else "")
        remedy = "Check the name, or load that flow first; an app's flow calls flows of apps only."
        yield Found(f"there is no flow {which}", (*path, "call"), remedy)
        return
    if way := _way_back(flow, called, find):
        told = f"the flow calls itself: {' → '.join(way)}"
        yield Found(told, (*path, "call"), "Repeat a step by a rule instead.")
    elif not called.subflow.callable:
        told = f"the flow {name!r} does not let others call it"
        yield Found(told, (*path, "call"), f"Add `subflow: {{callable: true}}` to {name!r}.")
    else:
        yield from _handed_over(step, called, path)
        yield from _labels(step, called, path)


def _way_back(flow: Flow, called: Flow, find: Find) -> list[str]:
    """The names of a way from the flow to itself, empty if there is none."""
    left, seen = [[flow.name, called.name]], {called.name}
    flows = {called.name: called}
    while left:
        way = left.pop()
        if way[-1] == flow.name:
            return way
        for step in _calls_of(flows[way[-1]]):
            name = step.call or ""
            found = flow if name == flow.name else find(name, step.call_version)
            if found is not None and name not in seen:
                seen.add(name)
                flows[name] = found
                left.append([*way, name])
    return []


def _calls_of(flow: Flow) -> list[Step]:
    return [placed.step for placed in all_steps(flow) if placed.step.call]


def _handed_over(step: Step, called: Flow, path: Path) -> Iterator[Found]:
    known = [*called.subflow.params, TASK]
    for key in step.with_:
        if key not in known:
            told = f"the parameter {key!r} is not used: {called.name!r} has none of that name{meant(key, known)}"
            yield Found(told, (*path, "with", key), one_of(known, ""))
    for key, parameter in called.subflow.params.items():
        if parameter.default is None and key not in step.with_:
            told = f"{called.name!r} needs the parameter {key!r}"
            yield Found(told, (*path, "with"), f"Add `{key}` to `with`, or a default to the parameter.")


def _labels(step: Step, called: Flow, path: Path) -> Iterator[Found]:
    """A flow that says which labels it returns returns no other."""
    if not called.subflow.returns:
        return
    known = [*called.subflow.returns, COMPLETE, ABORT]
    for index, rule in enumerate(step.rules):
        text = label(parse(rule.condition))
        if text is not None and text not in known:
            told = f"this rule can never match: {called.name!r} does not return {text[:60]!r}{meant(text, known)}"
            yield Found(told, (*path, "rules", index, "condition"), one_of(known, ""))
