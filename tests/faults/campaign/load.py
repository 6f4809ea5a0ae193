"""Starts programs and does to their runs what people do; each act is repeated through outages until it is done."""

import heapq
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.db import DatabaseError, InterfaceError, connection

from runs import jobs
from runs.errors import RunAlreadyEnded, RunNotFailed, RunNotPaused
from tests.faults.campaign.observer import Observer
from tests.faults.campaign.program_app.jobs import job_of
from tests.faults.campaign.programs import Program, make_program
from tests.faults.campaign.reading import programs_in, read
from tests.faults.campaign.sight import as_hex

AGAIN_SECONDS = 0.3
Act = Callable[[], None]


class Load:
    """A thread that keeps so many programs under way."""

    def __init__(self, seed: int, under_way: int, observer: Observer, gates: Path) -> None:
        self._seed, self._under_way, self._observer, self._gates = seed, under_way, observer, gates
        self._chance = random.Random(f"load:{seed}")
        self._acts: list[tuple[float, int, Act]] = []
        self._count = 0
        self._starting = True
        self._over = threading.Event()
        self._signals: dict[str, list[tuple[str, int]]] = {}
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self.programs: dict[str, Program] = {}
        """Roots by key."""
        self.run_ids: dict[str, str] = {}
        """Of roots, by key; 32 hexadecimal digits."""
        self.cancelled: set[str] = set()
        """Roots whose cancel was acknowledged."""
        self.sent: set[tuple[str, int]] = set()
        """(program, place) of each acknowledged signal."""
        self.acts: dict[str, int] = {}
        self.failure: BaseException | None = None
        self._open: dict[str, str] = {}
        self._retried: set[str] = set()

    def start(self) -> None:
        self._thread.start()

    def start_no_more(self) -> None:
        """What is under way is still served."""
        self._starting = False

    def stop(self) -> None:
        self._over.set()
        self._thread.join(60)

    @property
    def under_way(self) -> int:
        """Roots that have not ended."""
        return len(self._open)

    # ------------------------------------------------------------------------------------------------ in the thread
    def _run(self) -> None:
        try:
            while not self._over.wait(0.05):
                self._cycle()
        except BaseException as exc:
            self.failure = exc
            raise
        finally:
            connection.close()

    def _cycle(self) -> None:
        try:
            self._start_some()
            self._notice_children()
            self._notice_ends()
        except (DatabaseError, InterfaceError):
            connection.close()
            time.sleep(AGAIN_SECONDS)
        while self._acts and self._acts[0][0] <= time.monotonic():
            _, _, act = heapq.heappop(self._acts)
            try:
                act()
            except (DatabaseError, InterfaceError):
                connection.close()
                self._later(AGAIN_SECONDS, act)

    def _later(self, seconds: float, act: Act) -> None:
        self._count += 1
        heapq.heappush(self._acts, (time.monotonic() + seconds, self._count, act))

    def _done(self, what: str) -> None:
        self.acts[what] = self.acts.get(what, 0) + 1

    # ---------------------------------------------------------------------------------------------------- starting
    def _start_some(self) -> None:
        for _ in range(4):
            if not self._starting or len(self._open) >= self._under_way:
                return
            self._start_one(make_program(self._seed, len(self.programs)))

    def _start_one(self, program: Program) -> None:
        key = program["key"]
        # the key makes a start whose answer was lost safe to repeat
        run = jobs.start(job_of(program), program, idempotency_key=f"program-{key}").run
        self.programs[key] = program
        self.run_ids[key] = as_hex(run.id)
        self._open[key] = as_hex(run.id)
        for part in programs_in(program):
            self._signals[part["key"]] = [
                (name, payload) for owner, name, payload in read(part).signals if owner == part["key"]
            ]
        self._meet(key, as_hex(run.id))
        if program["fate"] == "cancel":
            self._later(program["act_after"], lambda: self._cancel(key))
        if program["fate"] == "pause":
            self._later(program["act_after"], lambda: self._pause(key))

    def _notice_children(self) -> None:
        for run_id, seen in list(self._observer.live.items()):
            if seen.key in self._signals:
                self._meet(seen.key, run_id)

    def _meet(self, key: str, run_id: str) -> None:
        """Its signals come one after the other, some of them before they are waited for."""
        signals = self._signals.pop(key, [])
        if signals:
            self._later(self._chance.uniform(0, 2), lambda: self._signal(key, run_id, signals, 0))

    def _notice_ends(self) -> None:
        looks = self._observer.looks
        gone = [key for key, run_id in self._open.items() if run_id not in self._observer.live]
        if not gone or looks < 2:
            return
        for key in gone:
            run = jobs.get(self._open[key])
            if run.status == "failed" and self.programs[key]["fate"] == "retry" and key not in self._retried:
                self._retry(key)
            elif run.has_ended:
                del self._open[key]

    # -------------------------------------------------------------------------------------------------------- acts
    def _signal(self, key: str, run_id: str, signals: list[tuple[str, int]], place: int) -> None:
        name, payload = signals[place]
        try:
            for _ in range(self._chance.choice((1, 1, 2))):
                jobs.signal(run_id, name, payload, idempotency_key=f"{key}-{place}")
        except RunAlreadyEnded:
            return
        self.sent.add((key, place))
        self._done("signals")
        if place + 1 < len(signals):
            self._later(self._chance.uniform(0, 1.5), lambda: self._signal(key, run_id, signals, place + 1))

    def _cancel(self, key: str) -> None:
        try:
            jobs.cancel(self.run_ids[key])
        except RunAlreadyEnded:
            if jobs.get(self.run_ids[key]).status != "cancelled":
                return
        self.cancelled.add(key)
        self._done("cancels")

    def _pause(self, key: str) -> None:
        try:
            jobs.pause(self.run_ids[key], reason="campaign")
        except RunAlreadyEnded:
            return
        self._done("pauses")
        self._later(self._chance.uniform(0.1, 2.5), lambda: self._resume(key))

    def _resume(self, key: str) -> None:
        try:
            jobs.resume(self.run_ids[key])
        except RunNotPaused:
            return

    def _gate(self, key: str) -> Path:
        return self._gates / key

    def _retry(self, key: str) -> None:
        self._gate(key).touch()  # first: a worker has the run before this call is back
        try:
            jobs.retry(self.run_ids[key])
        except RunNotFailed:
            return
        self._retried.add(key)
        self._done("retries")
