"""A jobs.py that cannot be imported: no process starts without its jobs, and its runs wait."""

import os
from collections.abc import Callable
from pathlib import Path

from tests.faults.conditions.workload import APPS
from tests.worker.tree import WorkerTree

GOOD = """
from runs.jobs import StepContext, job


@job("deployed")
async def deployed(step: StepContext) -> str:
    return await step.run("say", lambda: "hello")
"""
MISTAKES = {
    "import of nothing": ("import nowhere_to_be_found\n" + GOOD, "No module named 'nowhere_to_be_found'"),
    "syntax": (GOOD + "\ndef broken(:\n", "SyntaxError"),
    "error at import": (GOOD + "\n1 / 0\n", "ZeroDivisionError"),
}


def test_a_worker_that_cannot_import_a_job_says_which_and_its_runs_wait(
    make_tree: Callable[..., WorkerTree], tmp_path: Path
) -> None:
    app = tmp_path / f"app_{os.urandom(4).hex()}"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "jobs.py").write_text(GOOD)
    tree = make_tree(PERDURE_APPS=f"{APPS},{app.name}", PYTHONPATH=str(tmp_path))
    run = tree.ask("start", "deployed", {})
    for source, problem in MISTAKES.values():
        (app / "jobs.py").write_text(source)
        for command in (("worker",), ("up", "--port", "0"), ("check",)):
            done = tree.manage(*command, check=False)
            last = done.stderr.strip().splitlines()[-1]
            assert done.returncode == 1
            assert f"The module {app.name}.jobs cannot be imported:" in last
            assert problem in last
            assert f"Correct it, or take the app {app.name} out of PERDURE_APPS, and start again" in last
    assert tree.ask("run", run)["status"] == "queued"
    (app / "jobs.py").write_text(GOOD)
    tree.start_worker()
    assert tree.finish(run)["output"] == "hello"


def test_an_app_that_is_not_there_is_named(make_tree: Callable[..., WorkerTree]) -> None:
    done = make_tree(PERDURE_APPS="nowhere_to_be_found").manage("worker", check=False)
    assert done.returncode == 1
    assert "there is no package for 'nowhere_to_be_found'; correct it, or put its folder on PYTHONPATH" in done.stderr
