"""A transactional step whose worker dies around its commit: the row exists once."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from runs import jobs
from runs.engine import transactional
from runs.jobs import StepContext, job
from runs.testing import advance, drain
from tests.engine.driver import Driver, begin, types
from tests.engine.written import groups, make, step_types


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_around_the_commit_leaves_the_row_once(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """The process ends between the function and its commit, or between the commit and what comes of it."""
    real = transactional._once
    write_last = transactional._write_last
    died: list[int] = []

    def die_before(*args: Any) -> None:
        if died:
            return write_last(*args)
        died.append(1)
        raise transactional.Suspended  # as the end of the process: nothing is committed, nothing is told

    def die_after(*args: Any) -> Any:
        value = real(*args)
        if not died:
            died.append(1)
            raise transactional.Suspended
        return value

    monkeypatch.setattr(transactional, "_write_last" if when == "before" else "_once",
                        die_before if when == "before" else die_after)  # fmt: skip

    @job("dies")
    async def dies(step: StepContext) -> str:
        name = await step.transaction("make", make)
        return await step.run("after", lambda: name)

    run = begin(dies)
    driver.claim()
    driver.outcome(run)
    driver.kill()
    assert groups() == ([] if when == "before" else ["made"])
    drain()
    assert (jobs.get(run.id).output, groups()) == ("made", ["made"])
    assert types(run).count("step:complete") == 2


_KILLED = """
import os, signal, sys
import django
django.setup()
from django.db import connections
from django.contrib.auth.models import Group
connections.databases["default"]["NAME"] = sys.argv[2]
from runs.engine import transactional
from runs.jobs import job
from runs.testing import drain

when, once = sys.argv[1], transactional._once

def killed(*args):
    if when == "after":
        once(*args)
    os.kill(os.getpid(), signal.SIGKILL)

if when == "before":
    transactional._write_last = killed
else:
    transactional._once = killed

@job("is-killed")
async def is_killed(step):
    return await step.transaction("make", lambda: Group.objects.create(name="made").name)

drain()
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_killed_around_the_commit_leaves_the_row_once(when: str) -> None:
    @job("is-killed")
    async def is_killed(step: StepContext) -> str:
        return await step.transaction("make", make)

    run = begin(is_killed)
    name = str(connections["default"].settings_dict["NAME"])
    killed = subprocess.run([sys.executable, "-c", _KILLED, when, name], env=_environment(), check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert groups() == ([] if when == "before" else ["made"])
    advance(timedelta(hours=2))  # past the lease of the dead
    drain()
    assert (jobs.get(run.id).output, groups()) == ("made", ["made"])
    assert step_types(run)[-1] == "step:complete"


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
