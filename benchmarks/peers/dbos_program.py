"""DBOS Transact: this process starts workflows and works on them, and a second one works on them too."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import Any

from dbos import DBOS, DBOSConfig, WorkflowHandle

from benchmarks.answering import answer_all

QUEUE = "bench"
AT_ONCE = 50
"""Workflows that one process takes of the queue: DBOS's guide tells to set it, so that one does not take all."""


@DBOS.step()
def trivial(number: int) -> int:
    return number


@DBOS.workflow()
def steps(count: int) -> list[float]:
    """When it began and when it ended."""
    begun = time.time()
    for number in range(count):
        trivial(number)
    return [begun, time.time()]


@DBOS.workflow()
def receive(count: int) -> list[float]:
    """When each message was there."""
    return [_received() for _ in range(count)]


def _received() -> float:
    DBOS.recv("go", timeout_seconds=60)
    return time.time()


def lone(steps: int) -> float:
    begun, ended = DBOS.start_workflow(globals()["steps"], steps).get_result()
    return (ended - begun) * 1000 / steps


def crowd(runs: int, steps: int) -> float:
    ended = _results([_enqueue(steps) for _ in range(runs)])
    return runs * steps / (max(end for _, end in ended) - min(begin for begin, _ in ended))


def starts(count: int) -> dict[str, float]:
    begun = time.time()
    handles = [_enqueue(1) for _ in range(count)]
    started = time.time()
    ended = max(end for _, end in _results(handles))
    return {"started": count / (started - begun), "finished": count / (ended - begun)}


def latencies(count: int) -> list[float]:
    return [_latency() for _ in range(count)]


def _latency() -> float:
    time.sleep(random.uniform(0.1, 0.2))
    begun = time.time()
    return (_enqueue(1).get_result()[0] - begun) * 1000


def signals(count: int) -> list[float]:
    handle = DBOS.start_workflow(receive, count)
    sent = [_send(handle.workflow_id) for _ in range(count)]
    return [(there - at) * 1000 for there, at in zip(handle.get_result(), sent, strict=True)]


def _send(workflow_id: str) -> float:
    time.sleep(0.2)
    begun = time.time()
    DBOS.send(workflow_id, "go", "go")
    return begun


def _enqueue(count: int) -> "WorkflowHandle[list[float]]":
    return DBOS.enqueue_workflow(QUEUE, steps, count)


def _results(handles: "Iterable[WorkflowHandle[list[float]]]") -> list[list[float]]:
    return [handle.get_result(polling_interval_sec=0.1) for handle in handles]


def launch(url: str, executor: str) -> None:
    config: DBOSConfig = {
        "name": "bench", "system_database_url": url.replace("postgresql://", "postgresql+psycopg://", 1),
        "application_version": "1", "executor_id": executor, "log_level": "WARNING",
    }  # fmt: skip
    DBOS(config=config)
    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=AT_ONCE)


def main(url: str, role: str = "") -> None:
    launch(url, role or "first")
    if role:
        sys.stdin.read()  # until the first process ends
        os._exit(0)
    command = [sys.executable, "-m", "benchmarks.peers.dbos_program", url, "second"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=sys.stderr):
        functions: dict[str, Any] = {
            "lone": lone, "crowd": crowd, "starts": starts, "latencies": latencies, "signals": signals,
        }  # fmt: skip
        _results([_enqueue(1) for _ in range(4)])
        answer_all(functions)
        os._exit(0)  # its threads would wait for their next look


if __name__ == "__main__":
    main(*sys.argv[1:])
