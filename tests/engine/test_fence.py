"""Whoever holds an old token writes nothing at all; numbers have no gaps, whoever writes."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from runs import clock, jobs
from runs.engine import ends
from runs.engine.store.commit import commit, committed
from runs.engine.store.transitions import (
    AttemptRow,
    Change,
    CheckpointRow,
    Entry,
    Result,
    StepRow,
    Transition,
    Written,
)
from runs.errors import RunAlreadyEnded
from runs.events.types import EventDraft, EventType
from runs.jobs import StepContext, job
from runs.models import Attempt, Checkpoint, Event, Run, RunStatus, Step
from runs.testing import claim_for, frozen_worker
from tests.engine.driver import begin, events, types


def new_run() -> Run:
    @job("fenced")
    async def fenced(step: StepContext) -> None: ...

    return begin(fenced)


def claimed() -> Run:
    new_run()
    [run] = claim_for(frozen_worker())
    return run


def everything(run: Run, name: str = "a", **change: Any) -> Transition:
    """A transition that writes to every table."""
    now, token = clock.now(), run.lease_token
    return Transition(
        now,
        change=Change({"progress": '{"current":1}', **change}),
        events=(EventDraft(EventType.STEP_START, step=name), EventDraft(EventType.STEP_COMPLETE, step=name)),
        steps=(
            StepRow(run.id, name, "run", "0", 0, "completed", 1, 0, "1", "[]", None, now, now, None),
        ),
        attempts=(AttemptRow(run.id, name, 1, token, "completed", now, now, None, None),),
        checkpoints=(CheckpointRow(run.id, name, 1, 1, "1", "[]", 1, now),),
    )  # fmt: skip


def entry(run: Run, *transitions: Transition, token: int | None = None, write_no: int | None = None) -> Entry:
    number = jobs.get(run.id).write_no + 1 if write_no is None else write_no
    return Entry(run.id, run.lease_token if token is None else token, number, list(transitions))


def state(run: Run) -> list[Any]:
    rows = [list(model.objects.filter(run=run).values()) for model in (Step, Attempt, Checkpoint, Event)]
    return [Run.objects.filter(id=run.id).values().get(), *rows]


def test_a_valid_fence_writes_everything_in_one_go() -> None:
    run = claimed()
    assert commit([entry(run, everything(run))]) == {run.id: Written(Result.DONE, 4)}
    assert types(run) == ["run:queued", "run:start", "step:start", "step:complete"]
    assert [model.objects.count() for model in (Step, Attempt, Checkpoint)] == [1, 1, 1]
    after = jobs.get(run.id)
    assert (after.progress, after.write_no, after.claims) == ({"current": 1}, 1, 0)


@pytest.mark.parametrize(
    "wrong",
    [{"token": 0}, {"token": 2}, {"write_no": 0}, {"write_no": 2}, {"write_no": 7}],
    ids=str,
)
def test_an_invalid_fence_writes_nothing_at_all(wrong: dict[str, int]) -> None:
    run = claimed()
    before = state(run)
    assert commit([entry(run, everything(run, status="completed"), **wrong)]) == {run.id: Written(Result.LOST)}
    assert state(run) == before


def test_a_stale_entry_does_not_hold_back_the_others_of_its_batch() -> None:
    new_run()
    runs = [*claim_for(frozen_worker()), claimed()]
    stale, good = runs
    before = state(stale)
    written = commit([entry(stale, everything(stale), token=9), entry(good, everything(good))])
    assert written == {stale.id: Written(Result.LOST), good.id: Written(Result.DONE, 4)}
    assert state(stale) == before
    events(good)


def test_a_run_that_is_gone_is_lost() -> None:
    run = claimed()
    Run.objects.filter(id=run.id).delete()
    assert commit([entry(run, everything(run), write_no=1)]) == {run.id: Written(Result.LOST)}
    assert not Step.objects.exists()


def test_a_condition_on_the_inbox_that_does_not_hold_writes_nothing() -> None:
    run = claimed()
    Run.objects.filter(id=run.id).update(inbox=1)
    before = state(run)
    assert commit([entry(run, ends.wait(None, "signal", inbox=0))]) == {run.id: Written(Result.INBOX)}
    assert state(run) == before
    assert commit([entry(run, ends.wait(None, "signal", inbox=1))]) == {run.id: Written(Result.DONE, 3)}
    assert jobs.get(run.id).status == RunStatus.WAITING


@pytest.mark.parametrize("end", ["wait", "pause", "fail", "release"])
def test_a_lease_that_was_given_back_allows_nothing_more(end: str) -> None:
    run = claimed()
    transitions = {
        "wait": ends.wait(None, "later", run.inbox),
        "pause": ends.pause("nondeterminism", ValueError("x")),
        "fail": ends.fail(ValueError("x"), []),
        "release": ends.release(run),
    }
    commit([entry(run, transitions[end])])
    before = state(run)
    assert commit([entry(run, everything(run))]) == {run.id: Written(Result.LOST)}
    assert commit([entry(run, ends.wait(None, "again", run.inbox))]) == {run.id: Written(Result.LOST)}
    assert state(run) == before


def test_write_no_tells_whether_an_unknown_commit_happened() -> None:
    run = claimed()
    first = entry(run, everything(run))
    assert committed([first]) == set()
    commit([first])
    assert committed([first]) == {run.id}
    assert commit([first]) == {run.id: Written(Result.LOST)}, "a repeated write is not done twice"
    jobs.cancel(run.id)
    assert committed([first]) == set()


def test_an_error_of_one_row_undoes_the_whole_batch() -> None:
    run, other = claimed(), claimed()
    commit([entry(run, everything(run))])
    before = [state(run), state(other)]
    with pytest.raises(Exception, match=r"(?i)unique"):
        commit([entry(other, everything(other)), entry(run, everything(run))])  # its checkpoint has the same number
    assert [state(run), state(other)] == before


class Players:
    """Two workers, a caller who cancels, and one who resumes, all with what they last knew."""

    def __init__(self) -> None:
        self.run = new_run()
        self.workers = [frozen_worker(), frozen_worker()]
        self.known: list[tuple[Run, int] | None] = [None, None]
        self.steps = 0

    def claim(self, who: int) -> None:
        for run in claim_for(self.workers[who]):
            self.known[who] = (run, run.write_no)

    def die(self, who: int) -> None:
        """Its lease ends; it goes on believing that it holds the run."""
        self.workers[who].delete()
        self.workers[who] = frozen_worker()

    def write(self, who: int, make: Callable[[Run], Transition]) -> None:
        known = self.known[who]
        if known is None:
            return
        run, write_no = known
        before = state(run)
        holds = (before[0]["lease_token"], before[0]["write_no"]) == (run.lease_token, write_no)
        written = commit([entry(run, make(run), write_no=write_no + 1)])[run.id]
        if written.result is Result.DONE:
            assert holds
            self.known[who] = (run, write_no + 1)
        else:
            assert state(run) == before

    def step(self, who: int) -> None:
        self.steps += 1
        self.write(who, lambda run: everything(run, f"s{self.steps}"))

    def wait(self, who: int) -> None:
        self.write(who, lambda run: ends.wait(clock.now(), "later", run.inbox))

    def pause(self, who: int) -> None:
        self.write(who, lambda run: ends.pause("nondeterminism", ValueError("x")))

    def fail(self, who: int) -> None:
        self.write(who, lambda run: ends.fail(ValueError("x"), []))

    def cancel(self, who: int) -> None:
        ended = jobs.get(self.run.id).has_ended
        try:
            jobs.cancel(self.run.id)
            assert not ended
        except RunAlreadyEnded:
            assert ended

    def resume(self, who: int) -> None:
        if jobs.get(self.run.id).status == RunStatus.PAUSED:
            jobs.resume(self.run.id)


MOVES = ("claim", "claim", "die", "step", "step", "wait", "pause", "fail", "cancel", "resume")


@settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moves=st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 1)), max_size=10))
def test_any_interleaving_keeps_the_numbers_gap_free_and_the_ends_final(moves: list[tuple[str, int]]) -> None:
    Run.objects.all().delete()
    players = Players()
    ended: list[Any] | None = None
    for move, who in moves:
        getattr(players, move)(who)
        found = state(players.run)
        if ended is not None:
            assert found == ended
        run = jobs.get(players.run.id)
        ended = found if run.has_ended else None
        assert run.last_sequence == len(events(run))
        assert sum(types(run).count(end) for end in ("run:complete", "run:fail", "run:cancel")) == run.has_ended
        assert (run.status == RunStatus.RUNNING) == (run.lease_worker is not None)
