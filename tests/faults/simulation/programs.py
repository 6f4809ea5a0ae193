"""Random programs: what the runs of a simulation do, as data that a job interprets."""

from random import Random
from typing import Any

Program = list[dict[str, Any]]

SIGNAL = "go"


class Author:
    """Writes programs; names are unique in each."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._number = 0

    def write(self, length: int, *, depth: int = 0, signals: bool = True) -> Program:
        return [self._statement(depth, signals) for _ in range(length)]

    def _statement(self, depth: int, signals: bool) -> dict[str, Any]:
        kinds = ["step"] * 5 + ["sleep", "transaction", "stream", "state", "log", "map"]
        kinds += ["signal", "signal"] * signals
        kinds += ["gather", "gather", "race", "child", "limit"] * (depth < 2)
        kind = self._random.choice(kinds)
        self._number += 1
        return {"kind": kind, "name": f"{kind}{self._number}"} | getattr(self, f"_{kind}")(depth, signals)

    def _step(self, *_: Any) -> dict[str, Any]:
        fails = self._random.choice((0, 0, 0, 1, 2))
        return {
            "fails": fails, "tries": self._random.choice((fails + 1, fails + 1, max(1, fails))),
            "takes": self._random.choice((0.0, 0.0, 0.002, 0.02, 0.5)), "sync": self._random.random() < 0.3,
            "broken": self._random.random() < 0.06,
        }  # fmt: skip

    def _sleep(self, *_: Any) -> dict[str, Any]:
        return {"seconds": self._random.choice((0.0, 0.3, 1.5, 3.0))}

    def _transaction(self, *_: Any) -> dict[str, Any]:
        return {}

    def _stream(self, *_: Any) -> dict[str, Any]:
        return {"chunks": self._random.choice((1, 3, 5)), "saves": self._random.random() < 0.7}

    def _state(self, *_: Any) -> dict[str, Any]:
        return {}

    def _log(self, *_: Any) -> dict[str, Any]:
        return {}

    def _map(self, *_: Any) -> dict[str, Any]:
        return {"items": self._random.randint(1, 5), "at_once": self._random.choice((1, 3))}

    def _signal(self, *_: Any) -> dict[str, Any]:
        return {"timeout": self._random.choice((None, None, 0.5, 2.0))}

    def _gather(self, depth: int, signals: bool) -> dict[str, Any]:
        branches = self._random.choice((2, 2, 3))
        return {"branches": [self._inner(depth, signals) for _ in range(branches)]}

    def _race(self, depth: int, signals: bool) -> dict[str, Any]:
        return {"branches": [self._inner(depth, signals) for _ in range(2)]}

    def _child(self, depth: int, _: bool) -> dict[str, Any]:
        return {"program": Author(self._random).write(self._random.randint(1, 3), depth=depth + 1, signals=False)}

    def _limit(self, depth: int, signals: bool) -> dict[str, Any]:
        """User code that takes back what it asked for when that lasts too long."""
        return {"seconds": self._random.choice((0.001, 0.05, 1.0)), "inner": self._inner(depth, signals, 1)}

    def _inner(self, depth: int, signals: bool, length: int = 0) -> Program:
        return self.write(length or self._random.randint(1, 2), depth=depth + 1, signals=signals)


def waits_in(program: Program) -> int:
    """How many signals a program may ask for."""
    found = 0
    for statement in program:
        found += statement["kind"] == "signal"
        found += sum(waits_in(branch) for branch in statement.get("branches", ()))
        found += waits_in(statement.get("inner", []))
    return found
