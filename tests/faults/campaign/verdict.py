"""Compares what the engine says with what the programs say and with what was counted apart from the engine."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.faults.campaign.load import Load
from tests.faults.campaign.programs import Program
from tests.faults.campaign.reading import Reading, programs_in, read
from tests.faults.campaign.sight import Sight

THAW_SECONDS = 0.3
"""A process that was frozen between its look at the lease and the call makes that one call when it goes on."""


class Line(NamedTuple):
    at: float
    pid: int
    what: str
    key: str
    name: str
    detail: str


@dataclass
class Counted:
    """What the lines and rows say; `violations` are sentences."""

    violations: list[str] = field(default_factory=list)
    programs: int = 0
    runs: int = 0
    calls: int = 0
    repeated_calls: int = 0
    calls_of_thawed: int = 0
    effects: int = 0
    signals: int = 0
    ends: dict[str, int] = field(default_factory=dict)


class Run(NamedTuple):
    key: str
    id: str
    status: str
    reason: str
    output: str | None
    last_sequence: int


def judge(
    sight: Sight, load: Load, notes: Path, recorded: dict[tuple[str, str], float], thaws: dict[int, list[float]]
) -> Counted:
    """`thaws`: when each process was let go on after a freeze."""
    found = Counted()
    lines = read_notes(notes)
    runs = _runs(sight)
    _judge_runs(found, load, runs)
    _judge_calls(found, load, runs, lines, recorded, thaws)
    _judge_checkpoints(found, lines, thaws)
    _judge_effects(found, load, runs, sight)
    _judge_signals(found, load, sight)
    _judge_ends(found, runs, lines)
    found.violations += [f"gap in the events of run {run[0]}: {run[1:]}" for run in gaps(sight)]
    return found


def read_notes(folder: Path) -> list[Line]:
    """Every line of every process, oldest first; a last one that was cut by a kill does not count."""
    found = []
    for file in folder.iterdir():
        for line in file.read_text().splitlines():
            at, pid, *rest = line.split(maxsplit=5)
            found.append(Line(float(at), int(pid), *rest))
    return sorted(found)


def gaps(sight: Sight) -> list[tuple[object, ...]]:
    """Runs whose event numbers are not 1, 2, 3 ... up to the run's own last one."""
    return sight.rows_once_up(
        "SELECT r.id, r.last_sequence, count(e.sequence), min(e.sequence), max(e.sequence) FROM runs_run r "
        "LEFT JOIN runs_event e ON e.run_id = r.id GROUP BY r.id, r.last_sequence HAVING "
        "count(DISTINCT e.sequence) <> r.last_sequence OR count(e.sequence) <> r.last_sequence "
        "OR min(e.sequence) <> 1 OR max(e.sequence) <> r.last_sequence"
    )


def _runs(sight: Sight) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = defaultdict(list)
    for key, *rest in sight.rows_once_up(
        "SELECT input ->> 'key', CAST(id AS text), status, reason, CAST(output AS text), last_sequence FROM runs_run"
    ):
        found[key].append(Run(key, *rest))
    return found


def _judge_runs(found: Counted, load: Load, runs: dict[str, list[Run]]) -> None:
    found.programs = len(load.programs)
    found.runs = sum(len(same) for same in runs.values())
    found.ends = dict(Counter(run.status for same in runs.values() for run in same))
    found.violations += [f"program {key} was started {len(same)} times" for key, same in runs.items() if len(same) > 1]
    for key, program in load.programs.items():
        if key not in runs:
            found.violations.append(f"program {key} was started and is gone")
            continue
        found.violations += _judge_end(runs[key][0], program, key in load.cancelled)


def _judge_end(run: Run, program: Program, cancelled: bool) -> Iterator[str]:
    wanted = "cancelled" if cancelled else "completed"
    if run.status != wanted:
        yield f"run {run.id} of program {run.key} is {run.status} ({run.reason}), not {wanted}"
    elif not cancelled and run.output != str(read(program).output):
        yield f"run {run.id} of program {run.key} came to {run.output}, not {read(program).output}"


def _readings(load: Load, runs: dict[str, list[Run]]) -> Iterator[tuple[str, Reading, bool]]:
    """Each program, children's too: its key, its own reading, whether its run completed."""
    for program in load.programs.values():
        for part in programs_in(program):
            completed = part["key"] in runs and runs[part["key"]][0].status == "completed"
            yield part["key"], read(part), completed


def _judge_calls(
    found: Counted, load: Load, runs: dict[str, list[Run]], lines: list[Line],
    recorded: dict[tuple[str, str], float], thaws: dict[int, list[float]],
) -> None:  # fmt: skip
    calls = [line for line in lines if line.what == "call"]
    counted = Counter((line.key, line.name) for line in calls)
    known: Counter[tuple[str, str]] = Counter()
    for key, reading, completed in _readings(load, runs):
        own = {step: times for step, times in reading.calls.items() if step[0] == key}
        known.update(own)
        for step, times in own.items():
            known[step] = max(times, 1)  # a step that need not be called may be
            # an attempt whose process dies before its first line counts as one that failed: only the last is certain
            if completed and times and not counted[step]:
                found.violations.append(f"step {step} is recorded and was never called")
    found.calls = len(calls)
    found.repeated_calls = sum(max(0, counted[step] - known[step]) for step in counted)
    found.violations += [f"step {step} is in no program" for step in counted if step not in known]
    for line in calls:
        since = recorded.get((line.key, line.name))
        if since is None or line.at <= since:
            continue
        if _is_of_thawed(line, thaws):
            found.calls_of_thawed += 1
        else:
            found.violations.append(f"step {line.key} {line.name} was called {line.at - since:.3f} s after its record")


def _is_of_thawed(line: Line, thaws: dict[int, list[float]]) -> bool:
    """Whether its process was frozen in the moment of the call."""
    return any(thaw <= line.at <= thaw + THAW_SECONDS for thaw in thaws.get(line.pid, ()))


def _judge_checkpoints(found: Counted, lines: list[Line], thaws: dict[int, list[float]]) -> None:
    """An attempt begins where a checkpoint was acknowledged, or further on."""
    saved: dict[tuple[str, str], int] = {}
    streams = {(line.key, line.name) for line in lines if line.what == "saved"}
    for line in lines:
        step = line.key, line.name
        if line.what == "saved":
            saved[step] = max(saved.get(step, 0), int(line.detail))
        elif line.what == "call" and step in streams and int(line.detail) < saved.get(step, 0):
            if _is_of_thawed(line, thaws):
                continue
            found.violations.append(f"step {step} began at {line.detail}, after checkpoint {saved[step]} was durable")


def _judge_effects(found: Counted, load: Load, runs: dict[str, list[Run]], sight: Sight) -> None:
    counted = Counter(
        (program, step) for program, step in sight.rows_once_up("SELECT program, step FROM campaign_effect")
    )
    recorded = {
        (key, name)
        for key, name in sight.rows_once_up(
            "SELECT r.input ->> 'key', s.name FROM runs_step s JOIN runs_run r ON r.id = s.run_id "
            "WHERE s.kind = 'transaction' AND s.status = 'completed'"
        )
    }
    found.effects = sum(counted.values())
    found.violations += [f"transaction {step} happened {times} times" for step, times in counted.items() if times > 1]
    found.violations += [f"transaction {step} happened and is not recorded" for step in set(counted) - recorded]
    found.violations += [f"transaction {step} is recorded and did not happen" for step in recorded - set(counted)]
    for key, reading, completed in _readings(load, runs):
        missing = {step for step in reading.effects if step[0] == key} - set(counted)
        if completed and missing:
            found.violations.append(f"transactions {sorted(missing)} never happened")


def _judge_signals(found: Counted, load: Load, sight: Sight) -> None:
    rows = sight.rows_once_up(
        "SELECT r.input ->> 'key', s.idempotency_key, s.consumed_by, r.status FROM runs_signal s "
        "JOIN runs_run r ON r.id = s.run_id WHERE s.kind = 'signal'"
    )
    found.signals = len(rows)
    there = Counter((key, int(mark.rsplit("-", 1)[1])) for key, mark, _, _ in rows)
    found.violations += [f"signal {signal} is there {times} times" for signal, times in there.items() if times > 1]
    found.violations += [f"signal {signal} was acknowledged and is gone" for signal in load.sent - set(there)]
    takers = Counter((key, taker) for key, _, taker, _ in rows if taker)
    found.violations += [f"step {taker} took {times} signals" for taker, times in takers.items() if times > 1]
    found.violations += [
        f"signal {mark} of completed program {key} was taken by nobody"
        for key, mark, taker, status in rows
        if status == "completed" and not taker
    ]


def _judge_ends(found: Counted, runs: dict[str, list[Run]], lines: list[Line]) -> None:
    told = defaultdict(set)
    for line in lines:
        if line.what == "end":
            told[line.key].add(line.detail)
    for same in runs.values():
        for run in same:
            if run.status in ("completed", "cancelled", "failed") and run.status not in told[run.key]:
                found.violations.append(f"nobody was told of the end of run {run.id} ({run.status})")
