"""Starting runs: one INSERT in the caller's transaction. The runs table is the queue."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from runs import clock
from runs.budgets import Budget
from runs.definitions import Job
from runs.engine import keys
from runs.engine.payload import Payload, clean, encode
from runs.engine.store.budgets import open_all
from runs.engine.store.inserting import NewRow, insert
from runs.engine.store.rows import Actor, iso
from runs.engine.watched import is_watched
from runs.errors import IdempotencyConflict, InvalidOption
from runs.events.doorbell import ring
from runs.models import EndHook, Run, RunStatus


class Started(NamedTuple):
    """The run, and whether this call made it."""

    run: Run
    disposition: Literal["created", "idempotent", "coalesced"]


@dataclass(frozen=True, kw_only=True)
class StartOptions:
    """How a run is started; see `runs.jobs.start`.

    With `one_at_a_time` the key admits one run, a waiting one counted, whatever the job says.
    """

    owner: Any = None
    team: Any = None
    labels: dict[str, str] | None = None
    idempotency_key: str | None = None
    priority: int = 0
    queue: str | None = None
    run_at: datetime | None = None
    concurrency_key: str | None = None
    coalesce: str | None = None
    one_at_a_time: bool = False
    budget: Budget | Mapping[str, Any] | None = None

    def check(self) -> None:
        """Raises InvalidOption for what the row could not hold."""
        check_labels(self.labels or {})
        check_text("idempotency_key", self.idempotency_key)
        check_text("queue", self.queue, 100)
        check_text("concurrency_key", self.concurrency_key)
        Budget.of(self.budget)
        self._check_coalesce()
        if not -(2**31) <= self.priority < 2**31:
            raise InvalidOption("priority", "is no 32-bit number", "Use a number such as -10, 0 or 10.")
        if self.run_at is not None and self.run_at.tzinfo is None:
            raise InvalidOption("run_at", "has no time zone", "Give one, as in 2030-01-31T12:00:00Z.")

    def _check_coalesce(self) -> None:
        if self.coalesce not in (None, "skip"):
            raise InvalidOption("coalesce", f"cannot be {clean(str(self.coalesce), 50)!r}", "Use 'skip' or nothing.")
        if self.coalesce and not self.concurrency_key:
            raise InvalidOption("coalesce", "needs a concurrency_key", "Say which runs are the same by that key.")


def check_labels(labels: dict[str, str]) -> None:
    """Raises InvalidOption."""
    for key, value in labels.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise InvalidOption("labels", "holds what is no text", "Use text keys and text values.")
        check_text("labels", key)
        if value:
            check_text("labels", value)
    if len(labels) > 50:
        raise InvalidOption("labels", "has more than 50 entries", "Use fewer labels.")


def check_text(option: str, value: str | None, limit: int = 200) -> None:
    """Raises InvalidOption."""
    if value is None:
        return
    if not value or len(value) > limit or value != clean(value) or not value.isprintable():
        raise InvalidOption(option, f"is empty, longer than {limit} or not printable", "Send plain text.")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run whose input and options are checked, and that is not inserted yet."""

    run: Run
    payload: Payload
    coalesce: bool
    budget: Budget | None = None


def prepare(job: Job, value: Any, options: StartOptions) -> Prepared:
    """Raises InvalidInput, InvalidOption, StorageError."""
    options.check()
    payload = encode(job.parse_input(value), f"The input of job {job.name!r}")
    run, budget = new_run(job, payload, options)
    return Prepared(run, payload, options.coalesce is not None, budget)


def start(job: Job, value: Any, options: StartOptions, actor: Actor) -> Started:
    """One INSERT in the caller's transaction: the runs table is the queue.

    Raises InvalidInput, InvalidOption, StorageError, IdempotencyConflict; then there is no run.
    """
    return start_all([prepare(job, value, options)], actor)[0]


def start_all(wanted: list[Prepared], actor: Actor) -> list[Started]:
    """All of them, or none, in the caller's transaction. Raises IdempotencyConflict."""
    with _in_one_piece(wanted):
        if any(one.coalesce for one in wanted):  # each may join one before it
            started = _join_or_insert_all(wanted, actor)
        else:
            made = _insert(wanted, actor)
            started = [_inserted(one, one.run.id in made, actor) for one in wanted]
    if new := [one.run.id for one in started if one.disposition == "created"]:
        transaction.on_commit(lambda: ring(new))
    return started


def _in_one_piece(wanted: list[Prepared]) -> AbstractContextManager[Any]:
    """A lone run without a key to join by, or a budget, is one statement on PostgreSQL: it needs no transaction."""
    alone = len(wanted) == 1 and not (wanted[0].coalesce or wanted[0].budget) and connection.vendor == "postgresql"
    return nullcontext() if alone and not connection.in_atomic_block else transaction.atomic()


def _insert(wanted: list[Prepared], actor: Actor) -> set[UUID]:
    made = insert(_row(one, actor) for one in wanted)
    open_all((one.run, one.budget, None) for one in wanted if one.run.id in made)
    return made


def _row(one: Prepared, actor: Actor) -> NewRow:
    data = {"actor": actor.as_data(), "labels": one.run.labels, "run_at": iso(one.run.run_at)}
    return NewRow(one.run, data, one.payload.size, actor)


def _join_or_insert_all(wanted: list[Prepared], actor: Actor) -> list[Started]:
    """Locks first and in order, then by idempotency key: two calls with the same keys cannot block each other."""
    keys.lock_starts(one.run for one in wanted if one.coalesce)
    places = sorted(range(len(wanted)), key=lambda place: wanted[place].run.idempotency_key or "")
    found = {place: _join_or_insert(wanted[place], actor) for place in places}
    return [found[place] for place in range(len(wanted))]


def _join_or_insert(one: Prepared, actor: Actor) -> Started:
    if one.coalesce and (pending := _pending_twin(one.run)):
        return Started(pending, "coalesced")
    return _inserted(one, bool(_insert([one], actor)), actor)


def _inserted(one: Prepared, is_new: bool, actor: Actor) -> Started:
    """The new run, or the one that has its idempotency key; read in a new statement, which sees its commit."""
    while not is_new:
        if (found := _of_same_key(one.run)) is not None:
            if found.input != one.payload.value:
                raise IdempotencyConflict(str(one.run.idempotency_key), found.id)
            return Started(found, "idempotent")
        # the run that had the key was deleted between the two statements: the key is free
        is_new = bool(_insert([one], actor))
    return Started(one.run, "created")


def new_run(job: Job, payload: Payload, options: StartOptions) -> tuple[Run, Budget | None]:
    """The run, and its own budget. Raises InvalidOption for one beyond the job's."""
    now = clock.now()
    run_at = options.run_at or now
    budget = budget_for(job, options, job.budget_of(payload.value) if job.budget_of is not None else None)
    run = Run(
        job=job.name, job_version=job.version, queue=options.queue or job.queue, priority=options.priority,
        labels=options.labels or {}, owner=options.owner, team=options.team,
        concurrency_key=options.concurrency_key,
        concurrency_limit=1 if options.one_at_a_time else job.concurrency.limit,
        release_while_waiting=job.concurrency.release_while_waiting and not options.one_at_a_time,
        idempotency_key=options.idempotency_key, created_at=now, run_at=run_at, due_at=run_at,
        input=payload.value, secrets={"input": payload.secrets} if payload.secrets else {},
        end_hook=first_end_hook(job, options.labels or {}),
    )  # fmt: skip
    if budget is not None:
        run.budget_of = run.id
    return run, budget


def first_end_hook(job: Job, labels: Mapping[str, str]) -> EndHook:
    """Of a run that has not ended: whether anybody is to be told when it has."""
    return EndHook.ARMED if job.on_end or is_watched(labels) else EndHook.NONE


def budget_for(job: Job, options: StartOptions, of_input: Budget | None = None) -> Budget | None:
    """What a run started so may spend by itself, with what its job allows one of its input. Raises InvalidOption for
    more than that."""
    budget = Budget.of(options.budget)
    for most in (of_input, job.budget):
        budget = budget if most is None else most.tightened(budget)
    return budget


def _pending_twin(run: Run) -> Run | None:
    """A run of the same job and key that has not begun, whose start this one can be; two at once make one."""
    same = Run.objects.filter(keys.same_scope(run), job=run.job, concurrency_key=run.concurrency_key)
    fresh = same.filter(status=RunStatus.QUEUED, started_at=None, attempt=1).order_by("id")
    return fresh.select_for_update(no_key=True, of=("self",)).first()


def _of_same_key(run: Run) -> Run | None:
    same = Run.objects.filter(keys.same_scope(run), job=run.job, idempotency_key=run.idempotency_key)
    return same.exclude(idempotency_key=None).first()
