"""Starting many runs with one call."""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import Any

from runs.budgets import Budget
from runs.definitions import Job, registry
from runs.engine.store import choice
from runs.engine.store.rows import Actor
from runs.engine.store.start import Prepared, Started, StartOptions, prepare, start_all


@dataclass(frozen=True)
class NewRun:
    """A run for `runs.jobs.start_many`; the fields are the arguments of `runs.jobs.start`."""

    job: Job | str
    input: Any = None
    _: KW_ONLY
    version: str | None = None
    owner: Any = None
    team: Any = None
    labels: dict[str, str] | None = None
    idempotency_key: str | None = None
    priority: int = 0
    queue: str | None = None
    run_at: datetime | None = None
    concurrency_key: str | None = None
    coalesce: str | None = None
    budget: Budget | Mapping[str, Any] | None = None


def start_many(runs: Iterable[NewRun], actor: Actor) -> list[Started]:
    """All of them, or none. Raises what starting a run raises."""
    return start_all([_prepared(run) for run in runs], actor)


def _prepared(run: NewRun) -> Prepared:
    options = StartOptions(
        owner=run.owner, team=run.team, labels=run.labels, idempotency_key=run.idempotency_key,
        priority=run.priority, queue=run.queue, run_at=run.run_at, concurrency_key=run.concurrency_key,
        coalesce=run.coalesce, budget=run.budget,
    )  # fmt: skip
    return prepare(job_for(run.job, run.version, options), run.input, options)


def job_for(job: Job | str, version: str | None, options: StartOptions) -> Job:
    """The job itself, the one of that name and version, or without a version as the name's rollout says.

    Raises JobNotFound.
    """
    if not isinstance(job, str):
        return job
    return choice.choose_for(job, options) if version is None else registry.get(job, version)
