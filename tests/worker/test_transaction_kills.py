"""SIGKILL of a real worker process around the commit of a transactional step: the row is there exactly once."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.worker.tree import WorkerTree


@pytest.fixture(scope="module")
def deadly(make_worker: Callable[..., WorkerTree]) -> WorkerTree:
    return make_worker(PERDURE_APPS="tests.jobs_app,tests.worker.deadly").start_worker()


@pytest.mark.parametrize("job", ["record-a-row", "record-a-row-sync"])
@pytest.mark.parametrize(("die", "calls"), [("before the commit", 2), ("after the commit", 1)])
def test_a_row_is_there_once_whenever_its_worker_dies(deadly: WorkerTree, job: str, die: str, calls: int) -> None:
    path, name = deadly.new_path(), f"{job}, {die}"
    run_id = deadly.ask("start", job, {"name": name, "path": str(path), "die": die})
    run = deadly.finish(run_id)
    assert (run["status"], run["output"]) == ("completed", name)
    assert deadly.ask("count_groups", name) == 1
    assert len(path.read_text().split()) == calls
    types = Counter((event["type"], event["step"]) for event in deadly.ask("events", run_id))
    assert types["run:recover", None] == 1, "the process was killed"
    assert (types["step:complete", "make"], types["step:complete", "after"]) == (1, 1)
