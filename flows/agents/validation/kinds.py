"""What kind of step each is: exactly one, and no key that only another kind of step has."""

from collections.abc import Iterator
from typing import Final

from flows.agents import written
from flows.agents.validation.found import Found
from flows.documents import Path

_COMMON = {"name", "description", "rules", "default"}
_AGENT = {
    "persona", "persona_name", "policy", "knowledge", "instruction", "edit", "required_permission_mode",
    "allowed_tools", "profile", "model", "session", "session_key", "pass_previous_response", "report",
    "output_contracts", "structured_output", "quality_gates", "most_gate_rounds",
}  # fmt: skip
KINDS: Final = {
    "persona": ("an agent", _AGENT),
    "parallel": ("a parallel step", {"parallel", "concurrency"}),
    "call": ("a step that calls a flow", {"call", "call_version", "with_", "kind"}),
    "function": ("a Python step", {"function", "with_"}),
    "ask": ("a step that asks people", {"ask"}),
}
"""By the key that makes a step what it is: what it is called, and which keys it has beside those of every step."""
_ALIASES = {"with_": "with"}


def problems_of(flow: written.Flow) -> Iterator[Found]:
    for place, step in enumerate(flow.steps):
        yield from _of_step(step, ("steps", place))
        for at, sub in enumerate(step.parallel or ()):
            path: Path = ("steps", place, "parallel", at)
            yield from _of_step(sub, path)
            if sub.parallel is not None:
                yield Found("a sub-step cannot be parallel itself", (*path, "parallel"), "List its parts beside it.")


def _of_step(step: written.Step, path: Path) -> Iterator[Found]:
    given = [key for key in KINDS if getattr(step, key) is not None]
    if len(given) != 1:
        yield from _no_kind(step, path) if not given else _kinds(given, path)
        return
    what, keys = KINDS[given[0]]
    for name in sorted(step.model_fields_set - keys - _COMMON):
        key = _ALIASES.get(name, name)
        whose = " or ".join(told for told, others in KINDS.values() if name in others)
        told = f"{key!r} is not used: this is {what}, and only {whose} has it"
        yield Found(told, (*path, key), "Remove it." + (" Sub-steps may have it." if given[0] == "parallel" else ""))
    if step.parallel == ():
        yield Found("a parallel step needs sub-steps", (*path, "parallel"), "List at least one.")
    if "most_gate_rounds" in step.model_fields_set and not step.quality_gates:
        yield Found("'most_gate_rounds' is not used: there is no gate", (*path, "most_gate_rounds"), "Remove it.")


def _no_kind(step: written.Step, path: Path) -> Iterator[Found]:
    kind = " A step of kind workflow_call names it in `call`." if step.kind else ""
    told = "a step must have either an agent or parallel sub-steps, or `call`, `function` or `ask`"
    yield Found(told, path, "Add `persona` with who does it." + kind)


def _kinds(given: list[str], path: Path) -> Iterator[Found]:
    told = f"a step is one thing, and this one is {' and '.join(KINDS[key][0] for key in given)}"
    yield Found(told, (*path, given[1]), f"Keep one of {', '.join(given)}.")
