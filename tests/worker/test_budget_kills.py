"""A run whose workers are killed spends its budget once, parks, and goes on when more is granted while none lives."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.worker.tree import WorkerTree

STEPS = 6


@pytest.fixture(scope="module")
def deadly(make_worker: Callable[..., WorkerTree]) -> WorkerTree:
    return make_worker(PERDURE_APPS="tests.jobs_app,tests.worker.deadly").start_worker()


def test_a_grant_while_no_worker_lives_lets_it_go_on_after_the_next_start(deadly: WorkerTree) -> None:
    path = deadly.new_path()
    run_id = deadly.ask("start", "spend-and-die", {"steps": STEPS, "path": str(path)})
    deadly.wait_for(lambda: deadly.ask("run", run_id)["status"] == "waiting", 60, "run that is parked")
    assert deadly.ask("run", run_id)["reason"] == "budget tokens"
    assert deadly.ask("spent", run_id) == {"tokens": 300}
    deadly.kill()
    deadly.wait_for(lambda: not deadly.tree(), 5, "end of the whole tree")
    assert deadly.ask("questions", run_id) == [{"kind": "limit", "status": "open"}]
    deadly.ask("grant", run_id, {"tokens": 1000})
    deadly.start_worker()
    run = deadly.finish(run_id, within=60)
    assert (run["status"], run["output"]) == ("completed", 100 * STEPS)
    assert deadly.ask("spent", run_id) == {"tokens": 100 * STEPS}
    assert Counter(path.read_text().split()) == {str(number): 1 + number % 2 for number in range(STEPS)}
    types = Counter(event["type"] for event in deadly.ask("events", run_id))
    assert (types["budget:exceed"], types["question:ask"], types["budget:grant"]) == (1, 1, 1)
