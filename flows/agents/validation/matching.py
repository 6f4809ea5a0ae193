"""Rules that can never match: a label nobody has, what is always false, and what stands behind what is always true."""

from collections.abc import Generator, Iterator

from flows.agents.rules import cel
from flows.agents.rules.computing import label, method_of
from flows.agents.rules.conditions import ERROR, Ai, All, And, Any, Condition, Label, When, label_of, parse
from flows.agents.rules.errors import InvalidCondition
from flows.agents.spec import Asking, Flow, Rule, Step
from flows.agents.validation.found import Found, Placed, all_steps, one_of
from flows.documents import Path
from flows.documents.problems import meant

EXPIRED = "expired"
_ADD_OR_REMOVE = "Remove the rule, or correct its condition."


def problems_of(flow: Flow) -> Iterator[Found]:
    for placed in all_steps(flow):
        path = (*placed.path, "rules")
        parsed = yield from _parsed(placed.step.rules, path)
        if parsed is None:
            continue
        yield from _twice(parsed, path)
        for index, condition in enumerate(parsed):
            for part in _parts(condition):
                yield from _part(placed, part, (*path, index, "condition"))
        yield from _behind_truth(flow, placed, parsed, path)
    for place, monitor in enumerate(flow.loop_monitors):
        yield from _of_judge(monitor.judge.rules, ("loop_monitors", place, "judge", "rules"))


def _parsed(rules: tuple[Rule, ...], path: Path) -> Generator[Found, None, list[Condition] | None]:
    """All conditions, or None where one of them is none."""
    made: list[Condition] = []
    for index, rule in enumerate(rules):
        try:
            made.append(parse(rule.condition))
        except InvalidCondition as exc:
            told, _, remedy = exc.problem.partition(". ")
            yield Found(told, (*path, index, "condition"), remedy or _ADD_OR_REMOVE)
    return made if len(made) == len(rules) else None


def _parts(condition: Condition) -> tuple[Condition, ...]:
    return condition.parts if isinstance(condition, And) else (condition,)


def _twice(parsed: list[Condition], path: Path) -> Iterator[Found]:
    for index, condition in enumerate(parsed):
        first = parsed.index(condition)
        if first != index:
            told = f"this rule can never match: rule {first + 1} has the same condition"
            yield Found(told, (*path, index, "condition"), _ADD_OR_REMOVE)


def _part(placed: Placed, part: Condition, path: Path) -> Iterator[Found]:
    match part:
        case All(labels) | Any(labels):
            yield from _aggregate(placed.step, part, labels, path)
        case When(expression):
            if cel.constant(expression) is False:
                yield Found(f"this rule can never match: when({expression}) is always false", path, _ADD_OR_REMOVE)
        case Label(text) if placed.step.ask is not None:
            yield from _decision(placed.step.ask, text, path)


def _aggregate(step: Step, part: All | Any, labels: tuple[str, ...], path: Path) -> Iterator[Found]:
    word = "all()" if isinstance(part, All) else "any()"
    if not step.parallel:
        told = f"this rule can never match: {word} is about sub-steps, and this step has none"
        yield Found(told, path, "Use a plain label, or make the step parallel.")
        return
    if isinstance(part, All) and 1 < len(labels) != len(step.parallel):
        told = f"this rule can never match: all() names {len(labels)} labels for {len(step.parallel)} sub-steps"
        yield Found(told, path, "Name one label for all of them, or one for each in their order.")
        return
    if labels == (ERROR,) and isinstance(part, All):
        told = "this rule can never match: the step itself fails where all sub-steps do"
        yield Found(told, path, 'Use any("error").')
        return
    for place, text in enumerate(labels):
        yield from _label_of_subs(step, part, place if len(labels) > 1 else None, text, path)


def _label_of_subs(step: Step, part: All | Any, place: int | None, text: str, path: Path) -> Iterator[Found]:
    """`any()` needs one sub-step that can have the label, `all()` each of them, or the one at `place`."""
    if text == ERROR:
        return
    known = {sub.name: _labels(sub) for sub in step.parallel}
    if isinstance(part, Any):
        missing = [] if any(text in labels for labels in known.values()) else list(known)
    else:
        wanted = [step.parallel[place]] if place is not None else list(step.parallel)
        missing = [sub.name for sub in wanted if text not in known[sub.name]]
    if missing:
        labels = sorted({label for labels in known.values() for label in labels})
        whose = "no sub-step has a" if len(missing) == len(known) else f"sub-step {missing[0]!r} has no"
        told = f"this rule can never match: {whose} rule {text[:60]!r}"
        told += "" if text in labels else meant(text, labels)
        yield Found(told, path, one_of(labels, "Add rules to the sub-steps."))


def _labels(sub: Step) -> set[str]:
    """The labels that a sub-step can have, also those of what people decide."""
    found: set[str] = set()
    for rule in sub.rules:
        try:
            found |= {rule.condition.strip(), label_of(rule.condition)}
        except InvalidCondition:
            continue
    return found


def _decision(asked: Asking, text: str, path: Path) -> Iterator[Found]:
    """What people may decide is known beforehand, but for what they write."""
    if asked.kind == "input":
        return
    known = list(asked.choices) if asked.kind == "choice" else ["approved", "denied"]
    known += [EXPIRED] if asked.deadline_seconds else []
    if text not in known:
        told = f"this rule can never match: nobody can decide {text[:60]!r}{meant(text, known)}"
        yield Found(told, path, one_of(known, ""))


def _behind_truth(flow: Flow, placed: Placed, parsed: list[Condition], path: Path) -> Iterator[Found]:
    """What is computed is looked at first: behind what is always true comes nothing, and no word of anybody counts."""
    always = next((index for index, one in enumerate(parsed) if _is_true(one)), None)
    if always is None:
        return
    for index, condition in enumerate(parsed):
        is_word = flow.rule_order == "default" and method_of(condition) is None
        if index > always or (is_word and index != always):
            told = f"this rule can never match: rule {always + 1} is always true and comes first"
            yield Found(told, (*path, index, "condition"), f"Remove it, or narrow rule {always + 1}.")
    if placed.step.default is not None and placed.parent is None:
        told = f"the default is never taken: rule {always + 1} is always true"
        yield Found(told, (*placed.path, "default"), "Remove one of both.")


def _is_true(condition: Condition) -> bool:
    return all(isinstance(part, When) and cel.constant(part.expression) is True for part in _parts(condition))


def _of_judge(rules: tuple[Rule, ...], path: Path) -> Iterator[Found]:
    parsed = yield from _parsed(rules, path)
    if parsed is None:
        return
    yield from _twice(parsed, path)
    for index, condition in enumerate(parsed):
        if not isinstance(condition, Ai) and label(condition) is None:
            told = "this rule can never match: a monitor's judge chooses among texts"
            yield Found(told, (*path, index, "condition"), "Write a plain label or ai().")
