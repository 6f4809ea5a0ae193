"""`on_end` and `watch_ends`: durable clean-up, called at least once after a run has ended, however it ended."""

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
from runs.engine.watched import functions_for
from runs.models import EndHook, Run

logger = logging.getLogger("runs.engine")

_OWN = object()  # stands for the on_end of the run's job


@dataclass(frozen=True, kw_only=True)
class EndedRun:
    """What the hook receives. `status` is completed, failed or cancelled; `input` and `output` are JSON."""

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
    """Call all that is to be called; the transition records that, or makes it due again, later each time, up to
    `max_claims` times. What fails keeps none of the others from being called."""
    hooks = [*functions_for(run.labels), _OWN]
    if not all([await _has_been_called(run, threads, hook) for hook in hooks]):
        change = Change({"due_at": clock.now() + timedelta(seconds=2**run.claims)}, release=True)
    else:
        change = Change({"end_hook": EndHook.DONE.value, "claims": 0}, release=True)
    return Transition(clock.now(), change=change)


async def _has_been_called(run: Run, threads: ThreadPoolExecutor, hook: Any) -> bool:
    try:
        await _call(run, threads, hook)
    except Exception:
        logger.exception("worker:error: on_end of run %s of job %r failed", run.id, run.job)
        return False
    return True


async def _call(run: Run, threads: ThreadPoolExecutor, hook: Any) -> None:
    hook = registry.get(run.job, run.job_version).on_end if hook is _OWN else hook
    if hook is None:
        return
    ended = EndedRun.of(run)
    if inspect.iscoroutinefunction(hook):
        await body(hook, ended)
    else:
        await call_in(threads, hook, ended)
