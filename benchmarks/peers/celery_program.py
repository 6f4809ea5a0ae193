"""Celery with Redis as broker and for results: this process sends tasks, a worker with two processes does them."""

import os
import subprocess
import sys
import time

from celery import Celery

from benchmarks.peers import moments
from benchmarks.peers.queueing import Queueing

REDIS = os.environ["TEST_REDIS_URL"].rpartition("/")[0] + "/9"
WORKERS = "2"

app = Celery("bench", broker=REDIS, backend=REDIS)
app.conf.broker_connection_retry_on_startup = True


@app.task(name="trivial")
def trivial(task: int, path: str) -> int:
    begun = time.time()
    moments.note(path, task, begun)
    return task


def main() -> None:
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.peers.celery_program:app", "worker"]
    worker = subprocess.Popen([*command, "--concurrency", WORKERS, "--loglevel", "ERROR"], stdout=subprocess.DEVNULL)
    try:
        Queueing(lambda task, path: trivial.delay(task, path)).answer()
    finally:
        worker.terminate()
        worker.wait(20)


if __name__ == "__main__":
    main()
