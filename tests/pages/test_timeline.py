"""The waterfall of a run: lanes without gaps or overlaps, nothing outside, and a scale that keeps the order of time."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.dashboard.run.timeline.arrange import MOVES, AttemptTimes, Rows, RunTimes, StepTimes, arrange
from perdure.dashboard.run.timeline.parts import PartKind
from perdure.dashboard.run.timeline.scale import WIDTH, scale_of

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(-1000, 100_000_000).map(lambda at: BEGIN + timedelta(milliseconds=at))
MAYBE = st.none() | MOMENTS
NAMES = st.sampled_from(["a", "b", "c"])
RUNS = st.builds(
    RunTimes,
    key=st.just("r"),
    title=st.just("job"),
    status=st.just("running"),
    created_at=MOMENTS,
    started_at=MAYBE,
    finished_at=MAYBE,
    moves=st.lists(st.tuples(st.sampled_from([*MOVES, "run:progress"]), st.booleans(), MOMENTS), max_size=6),
)
STEPS = st.builds(
    StepTimes,
    name=NAMES,
    kind=st.sampled_from(["run", "stream", "signal", "child", "sleep"]),
    status=st.sampled_from(["running", "retrying", "completed", "failed", "waiting"]),
    attempts=st.integers(0, 3),
    started_at=MAYBE,
    finished_at=MAYBE,
)
ATTEMPTS = st.builds(
    AttemptTimes,
    step=NAMES,
    number=st.integers(1, 4),
    outcome=st.sampled_from(["completed", "failed", "lost", "open", "cancelled"]),
    started_at=MOMENTS,
    ended_at=MAYBE,
)
CHILDREN = st.builds(
    Rows, run=RUNS, steps=st.lists(STEPS, max_size=2), attempts=st.lists(ATTEMPTS, max_size=3), children=st.just({})
)
ROWS = st.builds(
    Rows,
    run=RUNS,
    steps=st.lists(STEPS, max_size=4),
    attempts=st.lists(ATTEMPTS, max_size=6),
    children=st.dictionaries(NAMES, st.lists(CHILDREN, max_size=2), max_size=2),
)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def a_run(*moves: tuple[str, float], **fields: object) -> RunTimes:
    told = [(type_, False, at(second)) for type_, second in moves]
    first = {"created_at": BEGIN, "started_at": at(1), "finished_at": None} | fields
    return RunTimes(key="r", title="job", status="running", moves=told, **first)  # type: ignore[arg-type]


@settings(max_examples=50)
@given(ROWS, MOMENTS)
def test_the_parts_of_a_lane_follow_one_another_and_nothing_stands_outside(rows: Rows, now: datetime) -> None:
    arranged = arrange(rows, now)
    for lane in arranged.lanes:
        assert all(part.length >= 0 for part in lane.parts)
        assert all(before.end == after.start for before, after in itertools.pairwise(lane.parts))
        assert sum(part.length for part in lane.parts) == lane.end - lane.start == sum(map(lane.spent, PartKind))
        assert 0 <= lane.start <= lane.end <= arranged.end


@settings(max_examples=50)
@given(ROWS, MOMENTS)
def test_every_run_and_step_has_a_lane_below_what_started_it(rows: Rows, now: datetime) -> None:
    lanes = arrange(rows, now).lanes
    expected = ["job"]
    for step in rows.steps:
        expected.append(step.name)
        for child in rows.children.get(step.name, ()):
            expected += ["job", *(one.name for one in child.steps)]
    assert [lane.title for lane in lanes] == expected
    assert all(after.depth - before.depth <= 1 for before, after in itertools.pairwise(lanes))


@settings(max_examples=50)
@given(ROWS, MOMENTS, st.booleans(), st.lists(st.floats(0, WIDTH), max_size=5))
def test_the_scale_covers_all_time_in_order_folded_or_not(
    rows: Rows, now: datetime, fold: bool, places: list[float]
) -> None:
    arranged = arrange(rows, now)
    scale = scale_of(arranged, fold)
    first, last = scale.segments[0], scale.segments[-1]
    assert (first.start, first.left, last.end) == (0, 0, arranged.end)
    assert abs(last.right - WIDTH) < 0.01
    for before, after in itertools.pairwise(scale.segments):
        assert (before.end, before.right) == (after.start, after.left)
    edges = sorted({edge for lane in arranged.lanes for part in lane.parts for edge in (part.start, part.end)})
    found = [scale.place(edge) for edge in edges]
    assert found == sorted(found)
    assert all(0 <= place <= WIDTH + 0.01 for place in found)
    moments = [scale.moment(place) for place in sorted(places)]
    assert moments == sorted(moments)
    assert all(scale.moment(scale.place(edge)) in (edge - 1, edge, edge + 1) for edge in edges)


def test_a_step_tells_its_attempts_and_the_pauses_between_them_apart() -> None:
    step = StepTimes("call", "run", "retrying", 2, at(1), None)
    tries = [
        AttemptTimes("call", 1, "failed", at(1), at(3)),
        AttemptTimes("call", 2, "failed", at(5), at(6)),
    ]
    lane = arrange(Rows(a_run(("run:start", 1)), [step], tries), at(8)).lanes[1]
    assert [(part.kind, part.length, part.attempt, part.outcome) for part in lane.parts] == [
        ("working", 2000, 1, "failed"), ("retrying", 2000, 0, ""), ("working", 1000, 2, "failed"),
        ("retrying", 2000, 0, ""),
    ]  # fmt: skip


def test_an_attempt_whose_worker_died_ends_where_the_next_begins() -> None:
    step = StepTimes("call", "run", "completed", 2, at(1), at(9))
    tries = [AttemptTimes("call", 1, "lost", at(1), at(8)), AttemptTimes("call", 2, "completed", at(4), at(9))]
    lane = arrange(Rows(a_run(), [step], tries), at(20)).lanes[1]
    assert [(part.outcome, part.start, part.end) for part in lane.parts] == [
        ("lost", 1000, 4000), ("completed", 4000, 9000),
    ]  # fmt: skip


def test_a_run_tells_its_queue_its_waits_and_its_pauses_apart() -> None:
    run = a_run(("run:queued", 0), ("run:start", 2), ("run:wait", 5), ("run:resume", 60), ("run:pause", 61),
                ("run:recover", 70), ("run:fail", 80), ("run:retry", 90), ("run:resume", 91))  # fmt: skip
    lane = arrange(Rows(run), at(100)).lanes[0]
    assert [(part.kind, part.length // 1000) for part in lane.parts] == [
        ("queued", 2), ("working", 3), ("waiting", 55), ("working", 1), ("paused", 9), ("working", 10),
        ("stopped", 10), ("queued", 1), ("working", 9),
    ]  # fmt: skip


def test_a_week_of_waiting_is_folded_and_the_work_around_it_keeps_its_room() -> None:
    week = 7 * 24 * 3600
    steps = [
        StepTimes("draft", "run", "completed", 1, at(0), at(30)),
        StepTimes("approve", "signal", "completed", 1, at(30), at(30 + week)),
        StepTimes("send", "run", "completed", 1, at(30 + week), at(40 + week)),
    ]
    arranged = arrange(Rows(a_run(finished_at=at(40 + week)), steps), at(0))
    folded = scale_of(arranged)
    assert [(one.end - one.start, one.is_folded) for one in folded.segments] == [
        (30_000, False), (week * 1000, True), (10_000, False),
    ]  # fmt: skip
    assert [round(one.right - one.left) for one in folded.segments] == [720, 40, 240]
    assert len(scale_of(arranged, fold=False).segments) == 1


def test_a_run_that_only_waits_is_not_folded_away() -> None:
    steps = [StepTimes("approve", "signal", "waiting", 1, at(0), None)]
    arranged = arrange(Rows(a_run(("run:start", 0), ("run:wait", 1)), steps), at(1000))
    assert [one.is_folded for one in scale_of(arranged).segments] == [False]
