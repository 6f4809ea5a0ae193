"""What is done to the processes, the database, the connections and Redis of a campaign."""

import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.faults.campaign.clusters import LEASE_SECONDS, Cluster
from tests.faults.campaign.proxy import Proxy
from tests.faults.campaign.servers import Postgresql, Redis
from tests.faults.campaign.sight import Sight
from tests.servers import processes

ON_BOTH = {"kill_driver": 8, "kill_sentinel": 3, "kill_worker": 2, "kill_tree": 3, "freeze_driver": 5}
ON_POSTGRESQL = {
    **ON_BOTH, "restart_immediate": 2, "restart_fast": 2, "cut": 5, "deafen": 3, "deafen_and_cut": 2, "lose": 1,
    "terminate_backends": 3, "redis_flush": 1, "redis_restart": 1,
}  # fmt: skip
ON_SQLITE = {**ON_BOTH, "lock_file": 4}
SKEWS = (0, 5, -5, 1, -2)


@dataclass
class Fault:
    """One that was done. It counts when a process held a lease on a running run, or had a transaction open."""

    number: int
    at: float
    kind: str
    victim: str
    held: set[str] = field(default_factory=set)
    transactions: int = 0
    recovered: float | None = None
    """Seconds until each of the runs had moved again."""

    @property
    def counts(self) -> bool:
        return bool(self.held or self.transactions)


@dataclass
class Field:
    """What faults can be done to."""

    clusters: list[Cluster]
    sqlite_file: str = ""
    postgresql: Postgresql | None = None
    redis: Redis | None = None
    proxy: Proxy | None = None

    @property
    def kinds(self) -> dict[str, int]:
        return ON_POSTGRESQL if self.postgresql else ON_SQLITE


class Faults:
    """Does them in an order that the seed decides; each is looked up in the database at its moment."""

    def __init__(self, seed: int, field: Field, sight: Sight, zero: float) -> None:
        self._chance = random.Random(f"faults:{seed}")
        self._field, self._sight, self._zero = field, sight, zero
        self._apart = ThreadPoolExecutor(8, thread_name_prefix="fault")
        self._running: list[Any] = []
        self.done: list[Fault] = []
        self.left_over: list[str] = []
        self.thaws: dict[int, list[float]] = {}

    def next_pause(self) -> float:
        """Seconds until the next fault."""
        return self._chance.uniform(1.5, 4.5)

    def strike(self) -> None:
        """The next fault of the order. What lasts goes on in a thread."""
        kinds = self._field.kinds
        kind = self._chance.choices(list(kinds), list(kinds.values()))[0]
        number = self._chance.randrange(len(self._field.clusters))
        chance = random.Random(self._chance.random())
        getattr(self, f"_{kind}")(kind, number, chance)

    def end(self) -> None:
        """Everything is healed when it returns."""
        for future in self._running:
            future.result(120)
        for door in range(len(self._field.clusters) if self._field.proxy else 0):
            self._tell("heal", door)
        for cluster in self._field.clusters:
            with cluster.lock:
                if cluster.has_ended:
                    self._start(cluster, random.Random(0))
        self._apart.shutdown()

    # ------------------------------------------------------------------------------------------------------ records
    def _record(self, kind: str, victim: str, held: set[str], transactions: int = 0) -> None:
        at = time.monotonic() - self._zero
        self.done.append(Fault(len(self.done) + 1, at, kind, victim, held, transactions))

    def _holders(self, cluster: Cluster) -> dict[int, set[str]]:
        """The cluster's drivers that hold runs now; looked for during a second at most."""
        deadline = time.monotonic() + 1
        while True:
            own = set(cluster.pids())
            found = {pid: runs for pid, runs in self._sight.holders().items() if pid in own}
            if found or time.monotonic() > deadline:
                return found
            time.sleep(0.05)

    def _all_held(self) -> set[str]:
        return {run for cluster in self._field.clusters for run in self._held_by(cluster)}

    def _held_by(self, cluster: Cluster) -> set[str]:
        return {run for runs in self._holders(cluster).values() for run in runs}

    def _begin(self, work: Callable[..., None], *arguments: Any) -> None:
        self._running.append(self._apart.submit(work, *arguments))

    # ---------------------------------------------------------------------------------------------------- processes
    def _driver(self, number: int, chance: random.Random) -> tuple[int, set[str]] | None:
        holders = self._holders(self._field.clusters[number])
        if not holders:
            return None
        pid = chance.choice(sorted(holders))
        return pid, holders[pid]

    def _kill_driver(self, kind: str, number: int, chance: random.Random) -> None:
        if found := self._driver(number, chance):
            pid, held = found
            self._kill(pid, kind, f"driver {pid} of {self._field.clusters[number].name}", held)

    def _kill_sentinel(self, kind: str, number: int, chance: random.Random) -> None:
        if found := self._driver(number, chance):
            sentinel = processes.parent_of(found[0])
            cluster = self._field.clusters[number]
            if sentinel in cluster.pids():
                self._kill(sentinel, kind, f"sentinel {sentinel} of {cluster.name}", self._held_by(cluster))

    def _kill(self, pid: int, kind: str, victim: str, held: set[str]) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self._record(kind, victim, held)

    def _kill_worker(self, kind: str, number: int, chance: random.Random) -> None:
        self._end_cluster(kind, number, chance, Cluster.kill_top)

    def _kill_tree(self, kind: str, number: int, chance: random.Random) -> None:
        self._end_cluster(kind, number, chance, Cluster.kill_all)

    def _end_cluster(self, kind: str, number: int, chance: random.Random, end: Callable[[Cluster], Any]) -> None:
        cluster = self._field.clusters[number]
        held = self._held_by(cluster)
        if not held or not cluster.lock.acquire(blocking=False):
            return
        try:
            end(cluster)
            self._record(kind, f"worker {cluster.top} of {cluster.name}", held)
            time.sleep(chance.uniform(0, 1))
            self._start(cluster, chance)
        finally:
            cluster.lock.release()

    def _start(self, cluster: Cluster, chance: random.Random) -> None:
        """The last of several workers has a wrong clock; SQLite lives on one host, with one clock."""
        is_last = len(self._field.clusters) > 1 and cluster is self._field.clusters[-1]
        cluster.start(PERDURE_CLOCK_SKEW=str(chance.choice(SKEWS) if is_last else 0))

    def _freeze_driver(self, kind: str, number: int, chance: random.Random) -> None:
        if found := self._driver(number, chance):
            pid, held = found
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                self._record(kind, f"driver {pid} of {self._field.clusters[number].name}", held)
                self._begin(self._thaw, pid, LEASE_SECONDS + chance.uniform(0.5, 3))

    def _thaw(self, pid: int, seconds: float) -> None:
        time.sleep(seconds)
        self.thaws.setdefault(pid, []).append(time.monotonic())
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    # ----------------------------------------------------------------------------------------------------- database
    def _restart_immediate(self, kind: str, number: int, chance: random.Random) -> None:
        self._restart(kind, "immediate")

    def _restart_fast(self, kind: str, number: int, chance: random.Random) -> None:
        self._restart(kind, "fast")

    def _restart(self, kind: str, mode: str) -> None:
        assert self._field.postgresql is not None
        held, transactions = self._all_held(), self._sight.open_transactions()
        self._record(kind, "PostgreSQL", held, transactions)
        self._field.postgresql.restart(mode)

    def _terminate_backends(self, kind: str, number: int, chance: random.Random) -> None:
        held, transactions = self._all_held(), self._sight.open_transactions()
        self._record(kind, "every second connection", held, transactions)
        self._sight.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND pid %% 2 = %s",
            [chance.randrange(2)],
        )

    def _lock_file(self, kind: str, number: int, chance: random.Random) -> None:
        held = self._all_held()
        self._record(kind, "the SQLite file", held)
        self._begin(self._hold_lock, chance.uniform(0.5, 3))

    def _hold_lock(self, seconds: float) -> None:
        link = sqlite3.connect(self._field.sqlite_file, isolation_level=None, timeout=20)
        try:
            with suppress(sqlite3.OperationalError):
                link.execute("BEGIN EXCLUSIVE")
                threading.Event().wait(seconds)
                link.execute("ROLLBACK")
        finally:
            link.close()

    # -------------------------------------------------------------------------------------------------- connections
    def _tell(self, command: str, door: int) -> None:
        assert self._field.proxy is not None
        self._field.proxy.tell(command, door)

    def _at_door(self, kind: str, command: str, door: int) -> None:
        cluster = self._field.clusters[door]
        held = self._held_by(cluster)
        self._tell(command, door)
        self._record(kind, f"connections of {cluster.name}", held)

    def _cut(self, kind: str, number: int, chance: random.Random) -> None:
        self._at_door(kind, "cut", number)

    def _lose(self, kind: str, number: int, chance: random.Random) -> None:
        self._at_door(kind, "lose", number)

    def _deafen(self, kind: str, number: int, chance: random.Random) -> None:
        self._at_door(kind, "deafen", number)
        self._begin(self._heal, number, chance.uniform(1, LEASE_SECONDS * 2), ["heal"])

    def _deafen_and_cut(self, kind: str, number: int, chance: random.Random) -> None:
        self._at_door(kind, "deafen", number)
        self._begin(self._heal, number, chance.uniform(1, LEASE_SECONDS * 2), ["cut", "heal"])

    def _heal(self, door: int, seconds: float, commands: list[str]) -> None:
        time.sleep(seconds)
        for command in commands:
            self._tell(command, door)

    # -------------------------------------------------------------------------------------------------------- Redis
    def _redis_flush(self, kind: str, number: int, chance: random.Random) -> None:
        assert self._field.redis is not None
        held = self._all_held()
        self._field.redis.flush()
        self._record(kind, "Redis", held)

    def _redis_restart(self, kind: str, number: int, chance: random.Random) -> None:
        assert self._field.redis is not None
        held = self._all_held()
        self._record(kind, "Redis", held)
        self._field.redis.restart()
