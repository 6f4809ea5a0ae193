"""The database goes away in the middle of a recovery: no run is forgotten."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.servers import databases
from tests.worker.tree import WorkerTree


def test_a_recovery_that_meets_an_outage_is_tried_again(worker: WorkerTree) -> None:
    path = worker.new_path()
    run_id = worker.ask("start", "append-lines", {"path": str(path), "steps": 30, "pause_seconds": 0.1})
    worker.wait_for(lambda: path.exists() and len(path.read_text().split()) >= 5, 20, "fifth step")
    victim = worker.driver_of(run_id)
    with _outage(worker):
        worker.signal(victim)
        worker.wait_for(lambda: victim not in worker.tree(), 10, "end of the driver")
        threading.Event().wait(3)  # the outage lasts while others find the dead and claim its runs
    run = worker.finish(run_id)
    assert run["status"] == "completed"
    called = path.read_text().split()
    assert sorted(set(called)) == sorted(f"line-{number}" for number in range(1, 31))
    assert len(called) <= 31, "only the step under way may be called twice"
    events = worker.ask("events", run_id)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert [event["type"] for event in events].count("run:recover") >= 1


@contextmanager
def _outage(worker: WorkerTree) -> Iterator[None]:
    """PostgreSQL cuts every connection again and again; the SQLite file is locked by somebody else."""
    over = threading.Event()
    cut = threading.Thread(target=_cut_connections if worker.database_url else _lock_file, args=(worker, over))
    cut.start()
    try:
        yield
    finally:
        over.set()
        cut.join()


def _cut_connections(worker: WorkerTree, over: threading.Event) -> None:
    assert worker.database_url is not None
    with psycopg.connect(databases.postgresql_url(), autocommit=True) as server:
        while not over.wait(0.05):
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [databases.name_of(worker.database_url)],
            )


def _lock_file(worker: WorkerTree, over: threading.Event) -> None:
    [file] = worker.data_dir.glob("perdure.sqlite3")
    with sqlite3.connect(file, isolation_level=None, timeout=10) as link:
        link.execute("BEGIN EXCLUSIVE")
        over.wait()
        link.execute("ROLLBACK")
    link.close()
