"""`@job(on_end=...)`: durable clean-up. It is called at least once after the run has ended, however it ended."""

import inspect
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from runs import clock
from runs.definitions import registry
from runs.engine.ends import body
from runs.engine.store.transitions import Change, Transition
from runs.engine.threads import call_in
from runs.models import EndHook, Run

logger = logging.getLogger("runs.engine")


@dataclass(frozen=True, kw_only=True)
class EndedRun:
    """What an `on_end` hook receives. `status` is completed, failed or cancelled; `input` and `output` are JSON."""

    id: UUID
    job: str
    status: str
    input: Any
    output: Any
    error: dict[str, Any] | None
    labels: dict[str, str]

    @classmethod
    def of(cls, run: Run) -> "EndedRun":
        return cls(
            id=run.id, job=run.job, status=run.status, input=run.input, output=run.output, error=run.error,
            labels=run.labels,
        )  # fmt: skip


async def call_end_hook(run: Run, threads: ThreadPoolExecutor) -> Transition:
    """Call the hook; the transition records that, or makes it due again, later each time, up to `max_claims` times."""
    try:
        await _call(run, threads, registry.get(run.job, run.job_version).on_end)
    except Exception:
        logger.exception("worker:error: on_end of run %s of job %r failed", run.id, run.job)
        change = Change({"due_at": clock.now() + timedelta(seconds=2**run.claims)}, release=True)
    else:
        change = Change({"end_hook": EndHook.DONE.value, "claims": 0}, release=True)
    return Transition(clock.now(), change=change)


async def _call(run: Run, threads: ThreadPoolExecutor, hook: Any) -> None:
    if hook is None:
        return
    ended = EndedRun.of(run)
    if inspect.iscoroutinefunction(hook):
        await body(hook, ended)
    else:
        await call_in(threads, hook, ended)
