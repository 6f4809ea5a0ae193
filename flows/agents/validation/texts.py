"""What is put into texts: variables that there are, reports that some step writes, fields that some schema has."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from flows.agents.instructions.variables import PLAIN, REFERRING, Placeholder, placeholders, split_reference
from flows.agents.rules.macros import unquoted
from flows.agents.spec import Flow, Step
from flows.agents.validation.found import Found, all_steps, one_of, unknown
from flows.documents import Path
from flows.documents.problems import meant

_IN_WHEN = re.compile(r"(?<![\w.])structured\.([A-Za-z_]\w*)")
_VARS_IN_WHEN = re.compile(r"(?<![\w.])context\.vars(?:\.(\w+)|\[[\"']([^\"']+)[\"']\])")
_BRACES = "Code in braces stays as it is with a space in it, as in { name }."


class Text(NamedTuple):
    """A text and where it stands. In what is not `whole` only `{var:...}` is put in."""

    text: str
    path: Path
    whole: bool = True


def problems_of(flow: Flow) -> Iterator[Found]:
    used: set[str] = set()
    for text in texts_of(flow):
        for one in placeholders(text.text):
            if one.name == "var" and one.of is not None:
                used.add(one.of.strip())
            yield from _placeholder(flow, text, one)
    yield from _in_conditions(flow, used)
    yield from _unused(flow, used)


def texts_of(flow: Flow) -> Iterator[Text]:
    """All texts of a flow in which something is put in."""
    for name, persona in flow.personas.items():
        yield Text(persona.prompt, ("personas", name), whole=False)
    for kind in ("policies", "knowledge"):
        yield from (Text(text, (kind, name), whole=False) for name, text in getattr(flow, kind).items())
    for placed in all_steps(flow):
        yield from (Text(text, (*placed.path, *path)) for text, path in _texts_of_step(placed.step))
    for place, monitor in enumerate(flow.loop_monitors):
        yield Text(monitor.judge.instruction, ("loop_monitors", place, "judge", "instruction"))


def _texts_of_step(step: Step) -> Iterator[tuple[str, Path]]:
    yield step.instruction, ("instruction",)
    yield from ((rule.appendix, ("rules", at, "appendix")) for at, rule in enumerate(step.rules))
    for place, report in enumerate(step.reports):
        yield report.order, ("report", place, "order")
        yield report.format, ("report", place, "format")
    yield from ((gate.text, ("quality_gates", at)) for at, gate in enumerate(step.quality_gates))
    yield from ((text, ("with", key)) for key, text in step.with_.items())
    if step.ask:
        yield step.ask.title, ("ask", "title")
        yield step.ask.body, ("ask", "body")


def _placeholder(flow: Flow, text: Text, one: Placeholder) -> Iterator[Found]:
    told = _wrong(flow, one) if text.whole or one.name == "var" else None
    if told is not None:
        yield Found(told[0], text.path, told[1], one.line)


def _wrong(flow: Flow, one: Placeholder) -> tuple[str, str] | None:
    """What is wrong with it, and the remedy."""
    if not one.is_known:
        return _unknown_name(one)
    of = (one.of or "").strip()
    if one.name == "report":
        return _missing(one, of, sorted({report.name for placed in all_steps(flow) for report in placed.step.reports}),
                        "no step writes this report", "Add it to a step's `report`.")  # fmt: skip
    if one.name == "var":
        return _missing(one, of, sorted(flow.subflow.params), "there is no such parameter",
                        "Add it under subflow.params.")  # fmt: skip
    if one.name == "context":
        names = [placed.step.name for placed in all_steps(flow)]
        return None if split_reference(names, of) else _missing(one, of, names, "it begins with no step's name", "")
    return _structured(flow, one, of) if one.name == "structured" else None


def _unknown_name(one: Placeholder) -> tuple[str, str]:
    if one.name in REFERRING:
        return f"{one} names nothing", f"Write {{{one.name}:...}} with what it is of."
    if one.name in PLAIN:
        return f"{one} takes nothing after a colon", f"Write {{{one.name}}}."
    near = meant(one.name, [*PLAIN, *REFERRING])
    return f"there is no variable {one}{near}", f"{one_of(sorted(PLAIN), '')} {_BRACES}"


def _missing(one: Placeholder, of: str, known: list[str], told: str, otherwise: str) -> tuple[str, str] | None:
    if of in known:
        return None
    return f"{one}: {told}{meant(of, known)}", one_of(known, otherwise)


def _structured(flow: Flow, one: Placeholder, of: str) -> tuple[str, str] | None:
    steps = {placed.step.name: placed.step for placed in all_steps(flow)}
    split = split_reference(steps, of)
    known = [name for name, step in steps.items() if gives_values(step)]
    if split is None:
        return _missing(one, of, known, "it begins with no step's name", "Name a step with structured_output.")
    step = steps[split[0]]
    if not gives_values(step):
        return f"{one}: step {split[0]!r} has no structured_output", "Add a schema to that step."
    fields = _fields(step)
    first = re.split(r"[.\[]", split[1], maxsplit=1)[0]
    if first and fields and first not in fields:
        return f"{one}: the schema of {split[0]!r} has no {first!r}{meant(first, fields)}", one_of(sorted(fields), "")
    return None


def gives_values(step: Step) -> bool:
    """Whether a step can give more than a text: functions and called flows do so without saying it."""
    return step.output_schema is not None or step.kind in ("python", "flow")


def _fields(step: Step) -> Iterable[str]:
    """The fields that a schema names, where it allows no others that it does not name."""
    schema = step.output_schema or {}
    properties = schema.get("properties")
    return list(properties) if isinstance(properties, dict) and schema.get("additionalProperties") is not True else []


def _in_conditions(flow: Flow, used: set[str]) -> Iterator[Found]:
    steps = {placed.step.name: placed.step for placed in all_steps(flow)}
    known = [name for name, step in steps.items() if gives_values(step)]
    for placed in all_steps(flow):
        for index, rule in enumerate(placed.step.rules):
            used.update(found[1] or found[2] for found in _VARS_IN_WHEN.finditer(rule.condition))
            if not rule.condition.lstrip().startswith("when") and "when(" not in rule.condition:
                continue
            path = (*placed.path, "rules", index, "condition")
            for name in dict.fromkeys(_IN_WHEN.findall(unquoted(rule.condition))):
                if name in steps and name not in known:
                    told = f"this rule can never match: step {name!r} has no structured_output"
                    yield Found(told, path, "Add a schema to that step.")
                elif name not in steps:
                    yield unknown("step with structured output", name, known, path, "Add a schema to a step.")


def _unused(flow: Flow, used: set[str]) -> Iterator[Found]:
    for name in flow.subflow.params:
        if name == "task":
            told = "`task` is no parameter: every call may give it"
            yield Found(told, ("subflow", "params", name), "Remove it, and use {task}.")
        elif name not in used:
            told = f"the parameter {name!r} is not used"
            yield Found(told, ("subflow", "params", name), f"Use it in a text as {{var:{name}}}, or remove it.")
    returned = {rule.return_ for step in flow.steps for rule in step.rules}
    for place, label in enumerate(flow.subflow.returns):
        if label not in returned:
            told = f"no rule returns {label!r}"
            yield Found(told, ("subflow", "returns", place), f"Add a rule with `return: {label}`, or remove the label.")
