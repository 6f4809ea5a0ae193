"""What a check of a flow finds, and how its steps are gone through."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from flows.agents.spec import Flow, Step
from flows.documents import Path
from flows.documents.problems import meant


@dataclass(frozen=True, slots=True)
class Found:
    """Something wrong at a path of the document; `line` counts within a text that stands there, 0 for none."""

    message: str
    path: Path
    remedy: str
    line: int = 0


class Placed(NamedTuple):
    """A step or sub-step, where it stands, and the parallel step around it."""

    step: Step
    path: Path
    parent: Step | None = None


def all_steps(flow: Flow) -> Iterator[Placed]:
    """Steps and their sub-steps, in the order of the file."""
    for place, step in enumerate(flow.steps):
        yield Placed(step, ("steps", place))
        for at, sub in enumerate(step.parallel):
            yield Placed(sub, ("steps", place, "parallel", at), step)


def one_of(known: list[str], otherwise: str) -> str:
    """The remedy that names what there is, or says what to do where there is nothing."""
    shown = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
    return f"Use one of: {shown}." if known else otherwise


def unknown(what: str, word: str, known: list[str], path: Path, otherwise: str) -> Found:
    """There is no such thing; what may have been meant."""
    return Found(f"there is no {what} {word[:60]!r}{meant(word, known)}", path, one_of(known, otherwise))
