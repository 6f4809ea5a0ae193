"""Programs are ended, with all that they have started: when they are cancelled, when a worker is, or is killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.agents.commanding import process
from flows.agents.commanding.process import running
from tests.agents.programs import CLI
from tests.servers.installation import ROOT
from tests.worker.tree import WorkerTree

HARD = ("ignore sigterm", "child", "escaped child", "sleep once", "write after.txt x", "done ok")
NAMES = ("own.pid", "child.pid", "escaped.pid")
WORKER = f"""
import asyncio, os, sys
from flows.agents.commanding.process import running
async def main():
    folder = os.open({{folder!r}}, os.O_RDONLY)
    async with running([sys.executable, {CLI!r}], folder, {{{{"PATH": os.environ["PATH"]}}}}) as program:
        program.tell([{{order}}])
        async for line in program.lines():
            pass
asyncio.run(main())
"""


def order(*acts: str) -> dict[str, Any]:
    return {"type": "start", "instruction": "\n".join(acts), "session": None, "again": False}


def wait_for(look: Callable[[], Any], what: str, within: float = 60) -> Any:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"no {what} within {within:g} s")


def pids_in(folder: Path) -> list[int]:
    """Of the program that is asleep and of all that it has started; empty until then."""
    found = [(folder / name).read_text() if (folder / name).exists() else "" for name in NAMES]
    return [int(text) for text in found] if all(found) else []


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def all_gone(pids: list[int]) -> Callable[[], bool]:
    return lambda: not any(map(lives, pids))


async def run_program(folder: Path, *acts: str) -> list[bytes]:
    opened = os.open(folder, os.O_RDONLY)
    try:
        async with running([sys.executable, CLI], opened, {"PATH": os.environ["PATH"]}) as program:
            program.tell([order(*acts)])
            return [line async for line in program.lines()]
    finally:
        os.close(opened)


async def test_a_cancelled_program_leaves_nothing_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.3)
    task = asyncio.create_task(run_program(tmp_path, *HARD))
    while not pids_in(tmp_path):
        assert not task.done()
        await asyncio.sleep(0.02)
    pids = pids_in(tmp_path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert all_gone(pids)(), "when the call has ended, they are gone"


async def test_a_program_that_ends_leaves_nothing_that_it_started(tmp_path: Path) -> None:
    lines = await run_program(tmp_path, "child", "escaped child", "done ok")
    assert json.loads(lines[-2])["type"] == "result"
    pids = [int((tmp_path / name).read_text()) for name in NAMES[1:]]
    assert all_gone(pids)()


async def test_a_call_that_is_cancelled_while_it_begins_starts_nothing_that_stays(tmp_path: Path) -> None:
    for pause in (0, 0, 0.001, 0.005, 0.02, 0.05):
        task = asyncio.create_task(run_program(tmp_path, "sleep"))
        await asyncio.sleep(pause)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    own = tmp_path / "own.pid"
    assert not own.exists() or not lives(int(own.read_text()))


def test_a_killed_worker_takes_the_program_with_it(tmp_path: Path) -> None:
    code = WORKER.format(folder=str(tmp_path), order=json.dumps(order(*HARD)).replace("null", "None").replace(
        "false", "False"
    ))  # fmt: skip
    worker = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    try:
        pids = wait_for(lambda: pids_in(tmp_path), "program at work")
    finally:
        worker.kill()
        worker.wait()
    wait_for(all_gone(pids), "end of what the worker had started")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def worker(work: Path, on_postgresql: bool) -> Iterator[WorkerTree]:
    commands = {"coder": {"argv": [sys.executable, CLI]}}
    made = WorkerTree(
        postgresql=on_postgresql, PERDURE_AGENT_COMMANDS=json.dumps(commands), PERDURE_LLM_TOOL_FOLDERS=str(work),
        PERDURE_APPS="tests.jobs_app,tests.agents.commanded",
    )  # fmt: skip
    made.manage("migrate", "-v", "0")
    yield made
    left = made.remove()
    assert not left, f"processes were left over: {sorted(left)}"


def started(worker: WorkerTree, folder: Path) -> str:
    worker.refresh()
    folder.mkdir()
    given = {"flow": "coded", "task": "\n".join(HARD), "folder": str(folder)}
    return str(worker.ask("start", "agent-flow", given))


def test_after_the_worker_was_killed_the_program_goes_on_by_its_session(worker: WorkerTree, work: Path) -> None:
    folder = work / "killed"
    run_id = started(worker, folder)
    pids = worker.wait_for(lambda: pids_in(folder), 60, "program at work")
    worker.signal(worker.driver_of(run_id), signal.SIGKILL)
    worker.wait_for(all_gone(pids), 30, "end of what the driver had started")
    run = worker.finish(run_id)
    assert run["status"] == "completed", run
    assert (folder / "after.txt").exists()
    assert json.loads((folder / "order.json").read_text())["again"] is True


def test_a_cancelled_run_ends_its_program(worker: WorkerTree, work: Path) -> None:
    folder = work / "cancelled"
    run_id = started(worker, folder)
    pids = worker.wait_for(lambda: pids_in(folder), 60, "program at work")
    worker.ask("cancel", run_id)
    worker.wait_for(all_gone(pids), 30, "end of the program")
    assert worker.finish(run_id)["status"] == "cancelled"
    assert not (folder / "after.txt").exists()
