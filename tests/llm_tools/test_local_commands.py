"""A command runs without a shell and without the worker's secrets, only as allowed, and it ends."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from flows.llm.tools import ToolRefused
from flows.llm.tools.local import commands
from flows.llm.tools.local.commands import run_command

PYTHON = sys.executable


@pytest.fixture(autouse=True)
def _allowed(settings: Any, tmp_path: Path) -> None:
    settings.LLM_TOOL_COMMANDS = ["echo", "pwd", "env", "git log --", f"{PYTHON} -c", "./echo", "no-such-program"]
    settings.LLM_TOOL_FOLDERS = [str(tmp_path)]
    settings.LLM_TOOL_SECONDS = 30


async def python(code: str) -> str:
    told: str = await run_command([PYTHON, "-c", code])
    return told


async def test_words_reach_the_program_as_they_are() -> None:
    words = ["$HOME", "*", "a b", "; rm -rf /", "`id`", "> x", "--flag"]
    assert await run_command(["echo", *words]) == " ".join(words) + "\n\n[exit code 0]"


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (["rm", "x"], "'rm x' is not allowed.*begins with: echo; pwd"), (["git", "log"], "not allowed"),
        (["git", "--upload-pack=evil", "log", "--"], "not allowed"), (["/tmp/echo"], "not allowed"),
        (["echo", "a\0b"], "not allowed"), (["./echo"], "no program"), (["no-such-program"], "no program"),
    ],
)  # fmt: skip
async def test_what_does_not_begin_as_allowed_is_not_run(command: list[str], problem: str) -> None:
    with pytest.raises(ToolRefused, match=problem):
        await run_command(command)


async def test_it_sees_nothing_of_the_workers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-secret")
    seen = await run_command(["env"])
    names = {line.partition("=")[0] for line in seen.splitlines() if "=" in line}
    assert names <= {"PATH", "LANG", "HOME", "PWD", "_"}


async def test_it_works_in_the_allowed_folder(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "link").symlink_to("/etc")
    assert (await run_command(["pwd", "-P"], folder="inside")).startswith(f"{tmp_path.resolve()}/inside\n")
    for outside in ("..", "/etc", "link"):
        with pytest.raises(ToolRefused):
            await run_command(["pwd"], folder=outside)
    settings.LLM_TOOL_FOLDERS = ()
    own = (await run_command(["pwd"])).splitlines()[0]
    assert "perdure-command-" in own
    assert not Path(own).exists()


async def test_errors_and_the_exit_code_are_told() -> None:
    told = await python("import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)")
    assert told == "out\nerr\n\n[exit code 3]"


async def test_one_that_takes_too_long_is_stopped(settings: Any) -> None:
    settings.LLM_TOOL_SECONDS = 0.1
    assert await python("import time; time.sleep(600)") == "\n[stopped after 0.1 s]"


async def test_a_cancelled_call_leaves_nothing_of_what_it_started(tmp_path: Path) -> None:
    child = f"import os; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"
    task = asyncio.create_task(python(f"import os, time\nif not os.fork():\n    {child}\ntime.sleep(600)"))
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone(int((tmp_path / "pid").read_text()))


async def test_endless_output_does_not_fill_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MAX_OUTPUT", 10)
    assert await python("print('x' * 100_000)") == "x" * 10 + "\n[99991 more bytes are left out]\n[exit code 0]"


async def gone(pid: int) -> None:
    """Until the process has ended; nobody may be there to bury an orphan."""
    for _ in range(3000):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except (ProcessLookupError, FileNotFoundError):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"process {pid} lives on")
