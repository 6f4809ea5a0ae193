"""Where rules lead: to steps that are there, and to each step from somewhere."""

from collections.abc import Iterator

from flows.agents.graph import graph_of
from flows.agents.spec import ABORT, COMPLETE, Flow, Rule
from flows.agents.validation.found import Found, Placed, all_steps, one_of, unknown
from flows.documents import Path


def problems_of(flow: Flow) -> list[Found]:
    found = [*_initial(flow), *(one for placed in all_steps(flow) for one in _of_step(flow, placed)), *_monitors(flow)]
    return found or list(_unreachable(flow))


def _names(flow: Flow) -> list[str]:
    return [step.name for step in flow.steps]


def _initial(flow: Flow) -> Iterator[Found]:
    if flow.step(flow.initial_step) is None:
        yield unknown("step", flow.initial_step, _names(flow), ("initial_step",), "Name one of the steps.")


def _of_step(flow: Flow, placed: Placed) -> Iterator[Found]:
    step = placed.step
    for index, rule in enumerate(step.rules):
        path = (*placed.path, "rules", index)
        yield from _of_sub_step(flow, rule, path) if placed.parent else _of_rule(flow, rule, path)
    if step.default is None:
        return
    if placed.parent:
        told = "a sub-step has no default: the parallel step's rules say what comes next"
        yield Found(told, (*placed.path, "default"), "Move it to the parallel step.")
    else:
        yield from _target(flow, step.default, (*placed.path, "default"))


def _of_sub_step(flow: Flow, rule: Rule, path: Path) -> Iterator[Found]:
    """Older flows name a step in it: that is taken, and has no effect."""
    if rule.next is not None:
        yield from _target(flow, rule.next, (*path, "next"))
    if rule.return_ is not None:
        told = "a sub-step's rule has no 'return': the parallel step's rules say what comes next"
        yield Found(told, (*path, "return"), "Remove it, and name the label in a rule of the parallel step.")
    if rule.requires_user_input:
        told = "a sub-step's rule cannot ask a user: the parallel step's rules say what comes next"
        yield Found(told, (*path, "requires_user_input"), "Move it to a rule of the parallel step.")


def _of_rule(flow: Flow, rule: Rule, path: Path) -> Iterator[Found]:
    if rule.next is not None and rule.return_ is not None:
        yield Found("a rule has `next` or `return`, not both", (*path, "return"), "Remove one of them.")
    elif rule.next is not None:
        yield from _target(flow, rule.next, (*path, "next"))
    elif rule.return_ is not None:
        yield from _label(flow, rule.return_, (*path, "return"))
    else:
        yield Found("the rule says not what comes next", path, "Add `next` with a step's name, COMPLETE or ABORT.")


def _target(flow: Flow, target: str, path: Path) -> Iterator[Found]:
    known = [*_names(flow), COMPLETE, ABORT]
    if target in known:
        return
    around = next((placed.parent for placed in all_steps(flow) if placed.parent and placed.step.name == target), None)
    if around is not None:
        told = f"{target!r} is a sub-step of {around.name!r}; only whole steps are targets"
        yield Found(told, path, f"Use {around.name!r}.")
    else:
        yield unknown("step", target, known, path, "")


def _label(flow: Flow, label: str, path: Path) -> Iterator[Found]:
    if not flow.subflow.callable:
        told = "`return` is for flows that others call, and this one is not callable"
        yield Found(told, path, "Use `next: COMPLETE`, or add `subflow: {callable: true, returns: [...]}`.")
    elif label not in flow.subflow.returns:
        yield unknown("label", label, list(flow.subflow.returns), path, f"Add {label!r} to subflow.returns.")


def _monitors(flow: Flow) -> Iterator[Found]:
    names = _names(flow)
    for place, monitor in enumerate(flow.loop_monitors):
        path: Path = ("loop_monitors", place)
        for key, steps in (("cycle", monitor.cycle), ("ignore_steps", monitor.ignore_steps)):
            for at, name in enumerate(steps):
                if name not in names:
                    yield unknown("step", name, names, (*path, key, at), "")
        for at, name in enumerate(monitor.ignore_steps):
            if name in monitor.cycle:
                told = f"{name!r} is a step of the cycle and left out of it"
                yield Found(told, (*path, "ignore_steps", at), "Remove it from one of both.")
        for index, rule in enumerate(monitor.judge.rules):
            yield from _of_judge(flow, rule, (*path, "judge", "rules", index))


def _of_judge(flow: Flow, rule: Rule, path: Path) -> Iterator[Found]:
    if rule.return_ is not None:
        yield Found("a monitor's judge cannot return a label", (*path, "return"), "Use `next`.")
    elif rule.next is None:
        yield Found("the rule says not what comes next", path, "Add `next` with a step's name, COMPLETE or ABORT.")
    else:
        yield from _target(flow, rule.next, (*path, "next"))


def _unreachable(flow: Flow) -> Iterator[Found]:
    reached = graph_of(flow).reached()
    for place, step in enumerate(flow.steps):
        if step.name not in reached:
            known = [one.name for one in flow.steps if one.name in reached]
            told = "no rule leads to this step"
            remedy = f"Name it in a rule of a step that is reached ({one_of(known, '')[12:-1]}), or remove it."
            yield Found(told, ("steps", place, "name"), remedy)
