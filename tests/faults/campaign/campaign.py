"""One campaign on one database, from the servers' start to the verdict."""

import logging
import os
import platform
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django

from tests.faults.campaign.clusters import Cluster
from tests.faults.campaign.faults import Fault, Faults, Field
from tests.faults.campaign.observer import Observer
from tests.faults.campaign.proxy import Proxy
from tests.faults.campaign.servers import Postgresql, Redis
from tests.faults.campaign.sight import EFFECTS, OUTAGES, Sight

STUCK_SECONDS = 75.0
END_SECONDS = 150.0
UNDER_WAY = {"postgresql": 40, "sqlite": 20}

log = logging.getLogger("campaign")


@dataclass
class Outcome:
    """What a campaign found."""

    database: str
    seed: int
    seconds: float
    versions: str = ""
    faults: list[Fault] = field(default_factory=list)
    acts: dict[str, int] = field(default_factory=dict)
    counted: dict[str, Any] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    evidence: str = ""

    @property
    def counting(self) -> int:
        return sum(fault.counts for fault in self.faults)


class Campaign:
    """Everything that runs; `close` ends it."""

    def __init__(self, database: str, seed: int) -> None:
        self.database, self.seed = database, seed
        self.folder = Path(tempfile.mkdtemp(prefix=f"perdure-campaign-{database}-"))
        for name in ("notes", "gates", "data"):
            (self.folder / name).mkdir()
        self._on_close: list[Any] = []
        self.url = ""
        self.field = self._make_field()
        self.sight = Sight(self.url)
        self.observer = Observer(self.url)

    def _make_field(self) -> Field:
        common = {"PERDURE_CAMPAIGN_DIR": str(self.folder), "PERDURE_SECRET_KEY": f"campaign-{self.seed}" * 5}
        if self.database == "sqlite":
            self.url = str(self.folder / "data" / "perdure.sqlite3")
            data = {**common, "PERDURE_DATA_DIR": str(self.folder / "data")}
            self._set_environment(data)
            return Field([Cluster("A", self.folder, 2, data)], sqlite_file=self.url)
        postgresql, redis = Postgresql(), Redis()
        self._on_close += [postgresql.stop, redis.stop]
        self.url = postgresql.url
        proxy = Proxy(postgresql.socket_path, 2)
        self._on_close.insert(0, proxy.stop)
        self._set_environment(
            {**common, "PERDURE_DATA_DIR": str(self.folder / "data"), "DATABASE_URL": self.url, "REDIS_URL": redis.url}
        )
        clusters = [
            Cluster(name, self.folder, 2, {
                **common, "DATABASE_URL": f"postgres://postgres@127.0.0.1:{port}/postgres", "REDIS_URL": redis.url,
                "PERDURE_CAMPAIGN_HOST": f"host-{name}",
            })
            for name, port in zip("AB", proxy.ports, strict=True)
        ]  # fmt: skip
        return Field(clusters, postgresql=postgresql, redis=redis, proxy=proxy)

    def _set_environment(self, environment: dict[str, str]) -> None:
        for name in ("DATABASE_URL", "REDIS_URL", "PERDURE_CLOCK_SKEW", "PERDURE_CAMPAIGN_HOST"):
            os.environ.pop(name, None)
        os.environ.update(environment)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "perdure.settings",
            "PERDURE_APPS": "tests.faults.campaign.program_app",
            "PERDURE_DEMO": "false",
        }

    def prepare(self) -> None:
        """The tables, then the workers."""
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        self.sight.rows(EFFECTS)
        for cluster in self.field.clusters:
            cluster.start()

    def run(self, seconds: float) -> Outcome:
        """Faults for so long, then calm until every run has ended; the verdict."""
        from tests.faults.campaign.load import Load

        outcome = Outcome(self.database, self.seed, seconds, _versions(self.sight))
        load = Load(self.seed, UNDER_WAY[self.database], self.observer, self.folder / "gates")
        self.observer.start()
        load.start()
        self._await_first_runs()
        faults = Faults(self.seed, self.field, self.sight, time.monotonic())
        watch = Recoveries(faults, self.observer)
        problem = self._strike(seconds, faults, load, watch)
        load.start_no_more()
        faults.end()
        problem = problem or self._await_end(load, watch)
        outcome.faults, outcome.acts = faults.done, load.acts
        self._judge(outcome, load, faults, problem)
        return outcome

    def _await_first_runs(self) -> None:
        deadline = time.monotonic() + 60
        while not self.sight.holders():
            if time.monotonic() > deadline:
                raise AssertionError(f"no worker took a run; logs in {self.folder}")
            time.sleep(0.2)

    def _strike(self, seconds: float, faults: Faults, load: Any, watch: "Recoveries") -> str:
        """Until the time is over or something is stuck; what."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            watch.pause(min(left, faults.next_pause()))
            if problem := self._stuck(load):
                return problem
            try:
                faults.strike()
            except OUTAGES:
                log.info("The database was away when a fault was to be done; it is left out.")
        return ""

    def _stuck(self, load: Any) -> str:
        if load.failure is not None:
            return f"the load failed: {load.failure!r}"
        if still := self.observer.still(STUCK_SECONDS):
            return f"runs have not moved for {STUCK_SECONDS:g} s: {still}"
        paused = [
            f"{run_id} ({seen.reason})"
            for run_id, seen in list(self.observer.live.items())
            if seen.status == "paused" and seen.reason != "campaign"
        ]
        return f"runs were paused by the engine: {paused}" if paused else ""

    def _await_end(self, load: Any, watch: "Recoveries") -> str:
        deadline = time.monotonic() + END_SECONDS
        while load.under_way or self.observer.live:
            watch.pause(0.5)
            if problem := self._stuck(load):
                return problem
            if time.monotonic() > deadline:
                return f"{load.under_way} programs and {len(self.observer.live)} runs did not end in {END_SECONDS:g} s"
        return ""

    def _judge(self, outcome: Outcome, load: Any, faults: Faults, problem: str) -> None:
        from tests.faults.campaign import evidence, verdict

        if problem:
            outcome.evidence = evidence.collect(self.folder, self.sight, self.observer, self.field.clusters, problem)
            outcome.violations.append(problem)
        load.stop()
        self.observer.stop()
        if not problem:
            time.sleep(1.5)  # hooks of the last ends
            outcome.violations += self._stop_workers()
        counted = verdict.judge(self.sight, load, self.folder / "notes", self.observer.recorded, faults.thaws)
        if not problem:
            outcome.violations += counted.violations + _broken_invariants()
        outcome.counted = {name: value for name, value in vars(counted).items() if name != "violations"}
        if outcome.violations and not outcome.evidence:
            outcome.evidence = evidence.of_violations(self.folder, self.sight, outcome.violations)

    def _stop_workers(self) -> list[str]:
        codes = {cluster.name: cluster.terminate() for cluster in self.field.clusters}
        left = {cluster.name: cluster.left_over() for cluster in self.field.clusters}
        wrong = [f"worker {name} ended with {code} at SIGTERM" for name, code in codes.items() if code != 0]
        return wrong + [f"processes of worker {name} were left over: {pids}" for name, pids in left.items() if pids]

    def close(self, keep: bool = False) -> None:
        """End every process; the folder stays as evidence if asked."""
        for cluster in self.field.clusters:
            with suppress(Exception):
                cluster.kill_all()
        self.sight.close()
        for end in self._on_close:
            with suppress(Exception):
                end()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


class Recoveries:
    """Says of each fault when the runs that its victim held had moved again."""

    def __init__(self, faults: Faults, observer: Observer) -> None:
        self._faults, self._observer = faults, observer
        self._zero = faults._zero

    def pause(self, seconds: float) -> None:
        """Look while time passes."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            threading.Event().wait(min(left, 0.2))
            self._look()

    def _look(self) -> None:
        live, looked_at = self._observer.live, self._observer.looked_at
        for fault in self._faults.done[-40:]:
            at = self._zero + fault.at
            if fault.recovered is None and looked_at > at and self._all_moved(fault.held, live, at):
                fault.recovered = max(0.0, looked_at - at)

    def _all_moved(self, held: set[str], live: dict[str, Any], at: float) -> bool:
        return all(run not in live or self._observer.changed_at.get(run, 0) > at for run in held)


def _broken_invariants() -> list[str]:
    from django.db import connection

    from runs.maintenance.invariants import find_violations

    connection.close()  # it is older than the faults
    return [f"invariant {found.invariant}: run {found.run} {found.detail}" for found in find_violations()]


def _versions(sight: Sight) -> str:
    statement = "SHOW server_version" if sight.on_postgresql else "SELECT sqlite_version()"
    [[version]] = sight.rows(statement)
    name = "PostgreSQL" if sight.on_postgresql else "SQLite"
    return f"{name} {version}, Python {platform.python_version()}, Django {django.get_version()}, {os.cpu_count()} CPUs"
