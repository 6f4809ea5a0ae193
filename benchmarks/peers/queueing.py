"""What is asked of a task queue, by way of its own call that enqueues a task."""

import random
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.answering import answer_all
from benchmarks.peers import moments

Enqueue = Callable[[int, str], Any]
"""Enqueues the task that notes its number in the file of that path."""


class Queueing:
    def __init__(self, enqueue: Enqueue) -> None:
        self.enqueue, self.numbers = enqueue, count()
        self.folder = tempfile.TemporaryDirectory(prefix="perdure-bench-")
        self.path = ""

    def answer(self) -> None:
        """One task first, so that the workers are there; then whatever is asked."""
        self.latencies(1)
        answer_all({"starts": self.starts, "latencies": self.latencies})

    def starts(self, count: int) -> dict[str, float]:
        self._new_file()
        begun = time.time()
        tasks = [self._enqueue() for _ in range(count)]
        started = time.time()
        ended = max(end for _, end in moments.wait_for(self.path, tasks).values())
        return {"started": count / (started - begun), "finished": count / (ended - begun)}

    def latencies(self, count: int) -> list[float]:
        self._new_file()
        return [self._latency() for _ in range(count)]

    def _latency(self) -> float:
        time.sleep(random.uniform(0.1, 0.2))
        begun = time.time()
        task = self._enqueue()
        return (moments.wait_for(self.path, [task])[task][0] - begun) * 1000

    def _enqueue(self) -> int:
        task = next(self.numbers)
        self.enqueue(task, self.path)
        return task

    def _new_file(self) -> None:
        self.path = str(Path(self.folder.name) / str(next(self.numbers)))
