"""absurd: this process spawns tasks, two others work on them."""

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import absurdctl
import psycopg
from absurd_sdk import Absurd

from benchmarks.answering import answer_all

WORKERS = 2


def register(app: Absurd) -> Absurd:
    @app.register_task(name="steps")
    def steps(params: Any, ctx: Any) -> list[float]:
        """When it began and when it ended."""
        begun = time.time()
        for number in range(params["steps"]):
            ctx.step(f"step-{number}", lambda number=number: number)
        return [begun, time.time()]

    @app.register_task(name="receive")
    def receive(params: Any, ctx: Any) -> list[float]:
        """When each event was there."""
        return [_received(ctx, f"{params['name']}-{number}") for number in range(params["count"])]

    return app


def _received(ctx: Any, name: str) -> float:
    ctx.await_event(name)
    return float(ctx.step(f"seen-{name}", time.time))


class Caller:
    def __init__(self, app: Absurd) -> None:
        self.app = app

    def lone(self, steps: int) -> float:
        begun, ended = self._result(self._spawn(steps))
        return (ended - begun) * 1000 / steps

    def crowd(self, runs: int, steps: int) -> float:
        ended = [self._result(one) for one in [self._spawn(steps) for _ in range(runs)]]
        return runs * steps / (max(end for _, end in ended) - min(begin for begin, _ in ended))

    def starts(self, count: int) -> dict[str, float]:
        begun = time.time()
        spawned = [self._spawn(1) for _ in range(count)]
        started = time.time()
        ended = max(self._result(one)[1] for one in spawned)
        return {"started": count / (started - begun), "finished": count / (ended - begun)}

    def latencies(self, count: int) -> list[float]:
        return [self._latency() for _ in range(count)]

    def _latency(self) -> float:
        time.sleep(random.uniform(0.3, 0.6))
        begun = time.time()
        return (self._result(self._spawn(1))[0] - begun) * 1000

    def signals(self, count: int) -> list[float]:
        """Events to a task that waits, which holds no worker then."""
        name = uuid4().hex
        spawned = self.app.spawn("receive", {"name": name, "count": count}, queue="default")["task_id"]
        sent = [self._emit(f"{name}-{number}") for number in range(count)]
        return [(there - at) * 1000 for there, at in zip(self._result(spawned), sent, strict=True)]

    def _emit(self, name: str) -> float:
        time.sleep(random.uniform(0.6, 0.8))
        begun = time.time()
        self.app.emit_event(name, "go", "default")
        return begun

    def _spawn(self, steps: int) -> str:
        return self.app.spawn("steps", {"steps": steps}, queue="default")["task_id"]

    def _result(self, task_id: str) -> Any:
        snapshot = self.app.await_task_result(task_id, timeout=120)
        if snapshot.state != "completed":
            raise RuntimeError(f"a task ended as {snapshot.state}: {snapshot.failure}")
        return snapshot.result


def make_tables(url: str) -> None:
    """What `absurdctl init` applies, without a need for psql."""
    folder = str(Path(absurdctl.__file__).parent)
    sql, _ = absurdctl.load_absurd_sql(folder, absurdctl.ABSURD_SCHEMA_TARGET_VERSION, False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())


def main(url: str, role: str = "") -> None:
    if role:
        register(Absurd(url)).start_worker()
        return
    make_tables(url)
    app = register(Absurd(url))
    app.create_queue("default")
    command = [sys.executable, "-m", "benchmarks.peers.absurd_program", url, "worker"]
    workers = [subprocess.Popen(command, stdout=sys.stderr) for _ in range(WORKERS)]
    caller = Caller(app)
    try:
        caller.lone(1)
        answer_all({name: getattr(caller, name) for name in ("lone", "crowd", "starts", "latencies", "signals")})
    finally:
        for worker in workers:
            worker.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
