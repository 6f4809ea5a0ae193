"""A worker that was started for some queues takes runs of these only."""

from typing import Any

from tests.worker.tree import WorkerTree


def test_a_worker_serves_the_queues_that_it_was_started_for(installation: WorkerTree) -> None:
    worker = installation.start_worker("worker", "--queues", "mail, gpu")
    steps: dict[str, Any] = {"steps": 1, "pause_seconds": 0}
    other = worker.ask("start", "append-lines", {"path": str(worker.new_path()), **steps})
    mail = worker.ask("start", "append-lines", {"path": str(worker.new_path()), **steps}, "mail")
    assert worker.finish(mail)["status"] == "completed"
    assert worker.ask("run", other)["status"] == "queued"
    worker.refresh()
    assert worker.finish(other)["status"] == "completed"
