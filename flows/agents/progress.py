"""How far a run of a flow has come: its path, what is under way, and what follows. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.agents import naming

_BEFORE = (naming.GO_ON, naming.LIMIT)
"""Parts that are named after an iteration which has not begun."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One `flow:transition`: of a step, or of a sub-step, which has no target.

    `is_abort` for the end of the run; `is_way` if a rule led there, which an abort by a failure does not.
    """

    iteration: int
    source: str
    target: str
    sub: str
    condition: str | None
    is_abort: bool
    is_way: bool


@dataclass(frozen=True, slots=True)
class SubStep:
    """A sub-step of the newest iteration; `condition` is that of the rule that it matched."""

    name: str
    status: str
    condition: str | None = None


@dataclass(frozen=True)
class Progress:
    """`path` holds the step of each iteration, in order; `current` is under way, or comes next if `is_chosen`.

    After the end it is None. `visits` count by step, `taken` by (from, to), where `to` may be COMPLETE or ABORT.
    `aborts` are those that no rule led to.
    """

    path: tuple[str, ...] = ()
    current: str | None = None
    is_chosen: bool = False
    iteration: int = 0
    subs: tuple[SubStep, ...] = ()
    visits: Mapping[str, int] = field(default_factory=dict)
    taken: Mapping[tuple[str, str], int] = field(default_factory=dict)
    aborts: int = 0


def progress_of(
    steps: Iterable[tuple[str, str]],
    transitions: Iterable[Mapping[str, Any]],
    *,
    initial: str = "",
    ended: bool = False,
) -> Progress:
    """From the names and statuses of a run's steps, and the data of its `flow:transition` events, both in order.

    `initial` is the step that the flow begins with; `ended` says that the run has.
    """
    places = [(place, status) for name, status in steps if (place := naming.place_of(name)) is not None]
    begun = {place.iteration: place.step for place, _ in places if not _is_before(place)}
    hops = tuple(hop_of(one) for one in transitions)
    of_steps = [one for one in hops if not one.sub]
    path = tuple(begun[number] for number in sorted(begun))
    newest = max(begun, default=0)
    chosen = next((one.target for one in reversed(of_steps) if one.iteration == newest and not one.is_abort), None)
    return Progress(
        path=path,
        current=None if ended else chosen or begun.get(newest, initial) or None,
        is_chosen=chosen is not None,
        iteration=newest,
        subs=_subs(newest, [pair for pair in places if pair[0].iteration == newest], hops),
        visits=Counter(path),
        taken=Counter((one.source, one.target) for one in of_steps if one.source and one.is_way),
        aborts=sum(not one.is_way for one in of_steps),
    )


def hop_of(data: Mapping[str, Any]) -> Hop:
    """From the data of the event."""
    texts = {key: str(data.get(name) or "") for key, name in (("source", "from"), ("target", "to"), ("sub", "sub"))}
    kind = data.get("kind")
    return Hop(
        int(data.get("iteration") or 0), **texts, condition=data.get("condition"), is_abort=bool(kind),
        is_way=kind in (None, "", "step_transition"),
    )  # fmt: skip


def _is_before(place: naming.Place) -> bool:
    return place.part.partition(": ")[0].partition(" again #")[0] in _BEFORE


def _subs(iteration: int, places: list[tuple[naming.Place, str]], hops: tuple[Hop, ...]) -> tuple[SubStep, ...]:
    decided = {one.sub: one.condition for one in hops if one.iteration == iteration and one.sub}
    statuses: dict[str, set[str]] = {}
    for place, status in places:
        if place.sub:
            statuses.setdefault(place.sub, set()).add(status)
    return tuple(
        SubStep(name, _sub_status(found, name in decided), decided.get(name)) for name, found in statuses.items()
    )


def _sub_status(statuses: set[str], is_decided: bool) -> str:
    """Between two turns of an agent all of its steps are completed, and it is not done."""
    for ended in ("failed", "cancelled"):
        if ended in statuses:
            return ended
    return "completed" if is_decided else "running"
