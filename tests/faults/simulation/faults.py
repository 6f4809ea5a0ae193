"""What goes wrong, and when: drawn from the seed, or one death at one exact place."""

from collections.abc import Sequence
from random import Random
from typing import Literal, Protocol

from tests.faults.simulation.loop import Process

Moment = Literal["before", "after"]
Fate = Literal["", "kill", "lost"]

KINDS = (
    "death",
    "death at a commit",
    "frozen",
    "stopped",
    "lease ends",
    "lost connection",
    "busy row",
    "bells",
    "host",
)
"""`lost connection`: before or after the commit, or the commit comes through when its sender is gone. `host`: no
neighbour sees a death."""

_MOST = 14
"""Deaths and the like in one simulation: with more of them, runs would be paused as crash loops and prove nothing."""


class Faults(Protocol):
    """Asked at each place where something could go wrong."""

    def at_turn(self, process: Process) -> tuple[Fate, float]:
        """Before a callback: whether its process dies, or for how many seconds it stands still."""

    def at_commit(self, process: Process, moment: Moment) -> Fate:
        """Around a call of the database."""

    def comes_late(self) -> float:
        """After how many seconds a batch comes through whose connection was lost; 0: its sender knows at once."""

    def slips_in(self) -> bool:
        """Whether somebody sends something at the moment before a run goes idle for want of it."""

    def is_busy(self) -> bool:
        """Whether somebody else holds the row that is to be written."""

    def bells(self) -> Sequence[float]:
        """After how many seconds each copy of a doorbell is heard; none: it is lost."""

    def ends_lease(self) -> bool:
        """Once a second: whether a process loses its lease while it goes on."""

    def stops(self) -> bool:
        """Once a second: whether a process is told to end."""

    def is_seen(self) -> bool:
        """Whether the neighbours see that a process is dead; otherwise its lease has to run out."""

    def calm_down(self) -> None:
        """From now on nothing goes wrong."""


class NoFaults:
    """Nothing goes wrong."""

    def __str__(self) -> str:
        return "undisturbed"

    def at_turn(self, process: Process) -> tuple[Fate, float]:
        return "", 0.0

    def at_commit(self, process: Process, moment: Moment) -> Fate:
        return ""

    def comes_late(self) -> float:
        return 0.0

    def slips_in(self) -> bool:
        return False

    def is_busy(self) -> bool:
        return False

    def bells(self) -> Sequence[float]:
        return (0.001,)

    def ends_lease(self) -> bool:
        return False

    def stops(self) -> bool:
        return False

    def is_seen(self) -> bool:
        return True

    def calm_down(self) -> None:
        return None


class DrawnFaults(NoFaults):
    """Each seed has some of the kinds, and its own measure of each: all at once would hide what two of them do."""

    def __init__(self, random: Random) -> None:
        self._random = random
        chosen = {kind for kind in KINDS if random.random() < 0.55}
        self._rates = {kind: random.choice((0.3, 1.0, 2.0)) if kind in chosen else 0.0 for kind in KINDS}
        self._left = _MOST

    def __str__(self) -> str:
        return ", ".join(f"{kind} × {rate:g}" for kind, rate in self._rates.items() if rate) or "none"

    def _happens(self, kind: str, rate: float) -> bool:
        # drawn in any case: what another kind does must not depend on this one
        drawn = self._random.random()
        if drawn >= rate * self._rates[kind] or self._left <= 0:
            return False
        self._left -= 1
        return True

    def at_turn(self, process: Process) -> tuple[Fate, float]:
        if self._happens("death", 0.0006):
            return "kill", 0.0
        if self._happens("frozen", 0.0006):
            return "", self._random.choice((0.05, 0.8, 4.0, 7.0, 15.0))
        return "", 0.0

    def at_commit(self, process: Process, moment: Moment) -> Fate:
        if self._happens("death at a commit", 0.005):
            return "kill"
        return "lost" if self._happens("lost connection", 0.01) else ""

    def comes_late(self) -> float:
        delay = self._random.choice((0.0005, 0.002, 0.02, 0.5))
        return delay if self._happens("lost connection", 0.01) else 0.0

    def slips_in(self) -> bool:
        return self._random.random() < 0.4

    def is_busy(self) -> bool:
        return self._left > 0 and self._random.random() < 0.1 * self._rates["busy row"]

    def bells(self) -> Sequence[float]:
        if not self._rates["bells"]:
            return (0.001,)
        delays = [self._random.choice((0.0, 0.002, 0.3, 2.0)) for _ in range(self._random.choice((0, 0, 1, 2)))]
        return delays

    def ends_lease(self) -> bool:
        return self._happens("lease ends", 0.15)

    def stops(self) -> bool:
        return self._happens("stopped", 0.2)

    def is_seen(self) -> bool:
        return not self._rates["host"] or self._random.random() < 0.5

    def calm_down(self) -> None:
        self._left = 0
        self._rates["bells"] = self._rates["host"] = 0.0


class OneDeath(NoFaults):
    """The named process dies before its callback of this number, or beside its call of the database of this number."""

    def __init__(self, process: str, number: int, at: Literal["turn"] | Moment) -> None:
        self._process, self._number, self._at = process, number, at
        self.happened = False

    def __str__(self) -> str:
        return f"{self._process} dies {self._at} {self._number}"

    def _strikes(self, process: Process, at: str, number: int) -> bool:
        strikes = not self.happened and at == self._at and process.name == self._process and number == self._number
        self.happened = self.happened or strikes
        return strikes

    def at_turn(self, process: Process) -> tuple[Fate, float]:
        return ("kill" if self._strikes(process, "turn", process.turns) else ""), 0.0

    def at_commit(self, process: Process, moment: Moment) -> Fate:
        return "kill" if self._strikes(process, moment, process.commits) else ""
