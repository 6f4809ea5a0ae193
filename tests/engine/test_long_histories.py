"""A history has no limit, and its last step costs what its first did, live and on replay."""

import asyncio
import time
from datetime import timedelta
from itertools import pairwise

from runs import jobs
from runs.engine.branches import Branch, OwnTimers, enter, leave
from runs.engine.history import History, StepRecord
from runs.engine.notes import Notes
from runs.engine.store.transitions import Transition
from runs.jobs import StepContext, job
from runs.models import Step, StepStatus
from runs.testing import advance, drain
from tests.engine.driver import begin, events

MANY = 400
PARTS = 4


class Watch:
    """When each quarter of a loop began, by the processor time of this process: a busy machine does not lengthen it."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def look(self, number: int, of: int) -> None:
        if number % (of // PARTS) == 0:
            self.times.append(time.process_time())

    def assert_even(self) -> None:
        """Work that grows with what came before would make the last quarter seven times as slow as the first."""
        parts = [later - earlier for earlier, later in pairwise(self.times)]
        assert len(parts) == PARTS
        assert parts[-1] < 3 * min(parts) + 0.1, parts


def test_hundreds_of_steps_are_as_quick_at_the_end_as_at_the_beginning() -> None:
    live, replayed = Watch(), Watch()
    watches = [live, replayed]

    @job("long")
    async def long(step: StepContext) -> int:
        watch, total = watches.pop(0), 0
        for number in range(MANY):
            watch.look(number, MANY)
            total += await step.run(f"step {number}", lambda: 1)
        watch.look(MANY, MANY)
        await step.sleep("night", timedelta(days=1))
        return total

    run = begin(long)
    drain()
    assert Step.objects.filter(run=run, status="completed").count() == MANY
    advance(timedelta(days=1))
    drain()
    assert jobs.get(run.id).output == MANY, jobs.get(run.id).error
    live.assert_even()
    replayed.assert_even()
    assert replayed.times[-1] - replayed.times[0] < live.times[-1] - live.times[0], "a replay calls nothing"


def test_a_replayed_race_costs_the_same_whatever_came_before() -> None:
    few, many = (min(_seconds_per_race(races) for _ in range(3)) for races in (200, 3_200))
    assert many < 5 * few, f"{few * 1e6:.1f} µs among 200 races, {many * 1e6:.1f} µs among 3,200"


def _seconds_per_race(races: int) -> float:
    history = History()
    for number in range(races):
        history.add(StepRecord(f"race {number}", "race", "0", number, StepStatus.COMPLETED))
        for branch in (1, 2):
            path = f"0.{2 * number + branch}"
            history.add(StepRecord(f"{path} step", "run", path, 0, StepStatus.COMPLETED))
            history.add(StepRecord(f"{path} inner", "run", f"{path}.1.1", 0, StepStatus.COMPLETED))
    root = Branch("0", lambda task: None, OwnTimers())
    begun = time.process_time()
    for number in range(races):
        history.meet(root, f"race {number}", "race")
        for path in root.skip_children(2):
            history.excuse(path)
            assert history.last_signal_wait(path) is None
    seconds = time.process_time() - begun
    assert history.unasked() is None, "the steps of the branches, and of those inside them, are excused"
    return seconds / races


def test_a_log_line_of_a_branch_writes_no_more_than_itself() -> None:
    posted: list[Transition] = []

    @job("logs")
    async def logs(step: StepContext) -> None: ...

    notes = Notes(begin(logs), lambda: None, posted.append)
    for branch in range(1, MANY + 1):
        entered = enter(Branch(f"0.{branch}", lambda task: None, OwnTimers()))
        notes.write_log("info", "one line", {})
        leave(entered)
    assert [transition.change.notes for transition in posted] == [{f"0.{n}": 1} for n in range(1, MANY + 1)]


def test_log_lines_of_many_branches_are_each_written_once() -> None:
    @job("crowd")
    async def crowd(step: StepContext) -> int:
        async def one(number: int) -> int:
            step.log.info(f"line {number}")
            await step.sleep(f"nap {number}", timedelta(days=1))
            step.log.info(f"later line {number}")
            return number

        return sum(await asyncio.gather(*(one(number) for number in range(20))))

    run = begin(crowd)
    drain()
    assert jobs.get(run.id).notes == {f"0.{number}": 1 for number in range(1, 21)}
    advance(timedelta(days=1))
    drain()
    assert jobs.get(run.id).output == sum(range(20)), jobs.get(run.id).error
    assert jobs.get(run.id).notes == {f"0.{number}": 2 for number in range(1, 21)}
    lines = [event.data["message"] for event in events(run) if event.type == "log:write"]
    assert sorted(lines) == sorted([f"{kind} {n}" for kind in ("line", "later line") for n in range(20)])
