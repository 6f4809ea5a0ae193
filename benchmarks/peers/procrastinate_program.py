"""Procrastinate: this process defers jobs, two others work on ten at once each and listen for new ones."""

import logging
import subprocess
import sys
import time

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector

from benchmarks.peers import moments
from benchmarks.peers.queueing import Queueing

WORKERS, AT_ONCE = 2, 10


def with_task(app: App) -> App:
    @app.task(name="trivial")
    async def trivial(task: int, path: str) -> None:
        moments.note(path, task, time.time())

    return app


def main(url: str, role: str = "") -> None:
    logging.getLogger("procrastinate").setLevel("ERROR")
    if role:
        with_task(App(connector=PsycopgConnector(conninfo=url))).run_worker(concurrency=AT_ONCE)
        return
    app = with_task(App(connector=SyncPsycopgConnector(conninfo=url)))
    command = [sys.executable, "-m", "benchmarks.peers.procrastinate_program", url, "worker"]
    with app.open():
        app.schema_manager.apply_schema()
        workers = [subprocess.Popen(command, stdout=sys.stderr) for _ in range(WORKERS)]
        try:
            Queueing(lambda task, path: app.configure_task("trivial").defer(task=task, path=path)).answer()
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
