"""What the processes of one cluster tell each other: an anonymous shared memory of 64-bit cells, without locks.

A lock could be left held by a process that is killed. So each cell has one writer, or takes values of which the last
one is right, and readers cope with reading between two writes. Times are milliseconds
of the host's monotonic clock.
"""

import mmap
from collections.abc import Iterator
from enum import IntEnum

from runs import clock

SLOTS = 256
"""Most drivers that one cluster can have."""

SEATS = 1024
"""One for each process that the Sentinel forks; used again after as many forks."""


class State(IntEnum):
    """What the process in a seat does."""

    IDLE = 0  # in the queue's `get`: may hold the queue's lock
    TASK = 1  # an ordinary task
    DRIVER = 2
    LEFT = 3  # ended by itself, holding nothing


class Work(IntEnum):
    """What the pusher hands out, counted apart."""

    TICKET = 0
    TASK = 1


class _Field(IntEnum):
    STOP = 0
    HEARTBEAT = 1
    SENTINEL = 2
    MONITOR = 3
    PUSHER = 4
    HANDED = 5  # two cells, by Work
    HANDED_AT = 7
    FORKS = 8


_HEADER = 16
_SLOT = 2  # pid, handed_at
_SEAT = 4  # pid, state, taken tickets, taken tasks


class Board:
    """The shared memory. Made before the first fork; every process of the cluster inherits it."""

    def __init__(self) -> None:
        cells = _HEADER + SLOTS * _SLOT + SEATS * _SEAT
        self._memory = mmap.mmap(-1, cells * 8)
        self._cells = memoryview(self._memory).cast("q")

    def clear(self) -> None:
        """Forget the cluster before; a new Sentinel calls it."""
        for index in range(len(self._cells)):
            self._cells[index] = 0

    # ------------------------------------------------------------------------------------------------ the Sentinel
    def beat(self, sentinel: int, monitor: int, pusher: int) -> None:
        """The guard loop turns, and these are its processes."""
        self._cells[_Field.SENTINEL] = sentinel
        self._cells[_Field.MONITOR] = monitor
        self._cells[_Field.PUSHER] = pusher
        self._cells[_Field.HEARTBEAT] = _now()

    @property
    def seconds_since_beat(self) -> float | None:
        """None before the first one."""
        beat = self._cells[_Field.HEARTBEAT]
        return (_now() - beat) / 1000 if beat else None

    @property
    def staff(self) -> dict[str, int]:
        """Pids by what they do: sentinel, monitor, pusher; without those that are not known yet."""
        found = {field.name.lower(): self._cells[field] for field in (_Field.SENTINEL, _Field.MONITOR, _Field.PUSHER)}
        return {name: pid for name, pid in found.items() if pid}

    def tell_to_stop(self) -> None:
        self._cells[_Field.STOP] = 1

    @property
    def stopping(self) -> bool:
        return bool(self._cells[_Field.STOP])

    def next_seat(self) -> int:
        """The seat of the process that is forked next; only the Sentinel calls it."""
        self._cells[_Field.FORKS] += 1
        return self._cells[_Field.FORKS] % SEATS

    # ---------------------------------------------------------------------------------------- slots of the drivers
    def slot_pid(self, slot: int) -> int:
        return self._cells[self._slot(slot)]

    def take_slot(self, slot: int, pid: int) -> None:
        self._cells[self._slot(slot)] = pid

    def free_slot(self, slot: int, pid: int) -> None:
        if self.slot_pid(slot) == pid:
            self._cells[self._slot(slot)] = 0

    def hand_out_slot(self, slot: int) -> None:
        self._cells[self._slot(slot) + 1] = _now()
        self.count_handed(Work.TICKET)

    def seconds_since_handed(self, slot: int) -> float:
        handed = self._cells[self._slot(slot) + 1]
        return (_now() - handed) / 1000 if handed else float("inf")

    # ------------------------------------------------------------------------------- what was handed out and taken
    def count_handed(self, work: Work) -> None:
        """Only the pusher calls it."""
        self._cells[_Field.HANDED_AT] = _now()
        self._cells[_Field.HANDED + work] += 1

    def not_taken(self, *kinds: Work) -> int:
        """How many of `kinds` lie in the queue between pusher and processes."""
        return sum(self._cells[_Field.HANDED + work] - self._taken(work) for work in kinds)

    def forget_untaken(self) -> None:
        """What lies in the queue no longer counts."""
        for work in Work:
            self._cells[_Field.HANDED + work] = self._taken(work)

    @property
    def seconds_since_handed_out(self) -> float:
        return (_now() - self._cells[_Field.HANDED_AT]) / 1000

    def _taken(self, work: Work) -> int:
        return sum(self._cells[self._seat(seat) + 2 + work] for seat in range(self._seats_used))

    # ------------------------------------------------------------------------------------------ seats of processes
    def sit(self, seat: int, pid: int) -> None:
        self._cells[self._seat(seat) + 1] = State.IDLE
        self._cells[self._seat(seat)] = pid

    def leave(self, seat: int) -> None:
        self._cells[self._seat(seat) + 1] = State.LEFT

    def take(self, seat: int, work: Work) -> None:
        self._cells[self._seat(seat) + 1] = State.DRIVER if work is Work.TICKET else State.TASK
        self.count_taken(seat, work)

    def count_taken(self, seat: int, work: Work) -> None:
        self._cells[self._seat(seat) + 2 + work] += 1

    def become_idle(self, seat: int) -> None:
        self._cells[self._seat(seat) + 1] = State.IDLE

    def seated(self) -> Iterator[tuple[int, State]]:
        """(pid, state) of every process that ever sat down."""
        for seat in range(self._seats_used):
            if pid := self._cells[self._seat(seat)]:
                yield pid, State(self._cells[self._seat(seat) + 1])

    @property
    def _seats_used(self) -> int:
        return min(self._cells[_Field.FORKS] + 1, SEATS)

    @staticmethod
    def _slot(slot: int) -> int:
        return _HEADER + slot * _SLOT

    @staticmethod
    def _seat(seat: int) -> int:
        return _HEADER + SLOTS * _SLOT + seat * _SEAT


def _now() -> int:
    return int(clock.monotonic() * 1000)


_inherited: Board | None = None


def make_board() -> Board:
    """The board of this process and of all that it will fork; one made by the watchdog is used again."""
    global _inherited
    if _inherited is None:
        _inherited = Board()
    return _inherited


def get_board() -> Board | None:
    """The board that this process inherited; None outside a cluster."""
    return _inherited
