"""Names of steps: each once, none of those that mean something else, none too long for what is recorded under it."""

from collections.abc import Iterator

from flows.agents.spec import ABORT, COMPLETE, Flow
from flows.agents.validation.found import Found, Placed, all_steps

LONGEST_PAIR = 65
"""Of a parallel step's name and a sub-step's: the names of what is recorded below them have a limit."""
_RESERVED = {COMPLETE.lower(), ABORT.lower()}


_ADDRESSES = ("check", "runs")


def problems_of(flow: Flow) -> Iterator[Found]:
    if flow.name in _ADDRESSES:
        told = f"no flow may be called {flow.name!r}: there is another page at its address"
        yield Found(told, ("name",), "Give the flow another name.")
    seen: dict[str, str] = {}
    for placed in all_steps(flow):
        yield from _name(placed)
        name = placed.step.name
        if name.lower() in seen:
            how = "is used twice" if seen[name.lower()] == name else f"differs from {seen[name.lower()]!r} by case only"
            yield Found(f"the step name {name!r} {how}", (*placed.path, "name"), "Give each step a name of its own.")
        seen.setdefault(name.lower(), name)


def _name(placed: Placed) -> Iterator[Found]:
    name, path = placed.step.name, (*placed.path, "name")
    if name.lower() in _RESERVED:
        yield Found(f"no step may be called {name!r}: it is a target of rules", path, "Give the step another name.")
    if name.endswith(" again"):
        yield Found("a step's name may not end in ' again': repetitions are called so", path, "Choose another name.")
    if name != name.strip():
        yield Found("a step's name ends with a space", path, "Remove the space.")
    if placed.parent is not None and len(placed.parent.name) + len(name) > LONGEST_PAIR:
        told = f"the names {placed.parent.name!r} and {name!r} are too long together"
        yield Found(told, path, f"Use at most {LONGEST_PAIR} characters for both.")
