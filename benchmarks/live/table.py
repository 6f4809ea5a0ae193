"""The live rows of the table."""

from collections.abc import Callable
from typing import Any

from benchmarks.bench import Bench
from benchmarks.live import logs, streams
from benchmarks.live.idle import IdleSockets
from benchmarks.live.installation import driver_pid, live_installation, resident_bytes
from benchmarks.perdure import Perdure
from benchmarks.rows import OURS, Row, at_least, at_most

BARE = "bare asyncio loop"
TEN_SHORT = "ten logs of a tenth"
ALONE = 3
"""Repetitions of what is compared with nobody, so that a machine's drift cannot tilt it."""

Look = dict[str, Any]


def rows(bench: Bench) -> list[Row]:
    with live_installation() as live:
        measured = [
            _idle(bench, live),  # first: what others have freed would be taken again, and not seen
            _many_runs(bench, live),
            _one_run(bench, live),
            _checkpoints(bench, live),
            _slow(bench, live),
            _long_log(bench, live),
        ]
    return [row for rows in measured for row in rows]


def _repeat(bench: Bench, measure: Callable[[], Look], times: int | None = None) -> list[Look]:
    return bench.alternate({OURS: measure}, times=times)[OURS]


def _row(work: str, unit: str, looks: list[Look], name: str, *goals: Any) -> Row:
    return Row(work, unit, {OURS: [float(look[name]) for look in looks]}, goals)


def _delivered(work: str, looks: list[Look]) -> Row:
    shares = [100.0 * look["frames"] / look["expected"] for look in looks]
    return Row(f"{work}: frames delivered", "%", {OURS: shares}, (at_least(100),))


def _many_runs(bench: Bench, live: Perdure) -> list[Row]:
    runs, seconds = bench.few_or_many(50, 500), bench.few_or_many(3.0, 10.0)
    driver = driver_pid(live.installation)
    streams.many_runs(live, resident_bytes(driver), 20, 1.0)  # what a process makes once is no run's own
    resident = resident_bytes(driver)
    looks = _repeat(bench, lambda: streams.many_runs(live, resident, runs, seconds))
    work = f"{runs} runs streaming 20 frames/s each, one watcher each"
    cpu = {OURS: [look["worker_cpu"] for look in looks], BARE: [look["bare_cpu"] for look in looks]}
    return [
        _delivered(work, looks),
        Row(f"{work}: the worker's CPU in {seconds:g} s", "s", cpu, (at_most(2, BARE),)),
        _row(f"{work}: the worker's memory per run", "KiB", looks, "kib_per_run", at_most(60)),
    ]


def _one_run(bench: Bench, live: Perdure) -> list[Row]:
    clients, seconds = bench.few_or_many(50, 200), bench.few_or_many(3.0, 10.0)
    looks = _repeat(bench, lambda: streams.one_run(live, clients, seconds), ALONE)
    work = f"{clients} WebSocket clients on one run that emits 50 times a second, one Daphne process"
    return [_delivered(work, looks), _row(f"{work}: lag, p95", "ms", looks, "lag_p95_ms", at_most(250))]


def _checkpoints(bench: Bench, live: Perdure) -> list[Row]:
    runs, seconds = 100, bench.few_or_many(3.0, 10.0)
    looks = _repeat(bench, lambda: streams.checkpoints(live, runs, seconds), ALONE)
    shares = [100.0 * look["saved"] / look["wanted"] for look in looks]
    work = f"1,000 checkpoints/s wanted by {runs} streaming runs"
    return [
        Row(f"{work}: durable", "%", {OURS: shares}, (at_least(100),)),
        _row(f"{work}: durable a second", "1/s", looks, "per_second"),
    ]


def _idle(bench: Bench, live: Perdure) -> list[Row]:
    clients = bench.few_or_many(200, 2000)
    sockets = IdleSockets(live)
    looks = _repeat(bench, lambda: sockets.measure(clients), ALONE)
    return [_row(f"{clients} idle WebSocket clients: memory each", "KiB", looks, "kib_each", at_most(45))]


def _slow(bench: Bench, live: Perdure) -> list[Row]:
    seconds = bench.few_or_many(5.0, 15.0)
    looks = _repeat(bench, lambda: logs.slow_client(live, seconds), ALONE)
    whole = [100.0 * look["log_whole"] for look in looks]
    work = f"a client that reads 1 KiB/s of a stream of {looks[0]['emitted_kib'] / seconds:.0f} KiB/s"
    return [
        _row(f"{work}: growth of the server", "KiB", looks, "grown_kib", at_most(8192)),
        Row(f"{work}: catches up with the whole log", "%", {OURS: whole}, (at_least(100),)),
    ]


def _long_log(bench: Bench, live: Perdure) -> list[Row]:
    events = bench.few_or_many(10_000, 100_000)
    long, short = (logs.run_with_log(live, count) for count in (events, events // 10))
    measures: dict[str, Callable[[], float]] = {
        OURS: lambda: logs.read_log(live, long),
        TEN_SHORT: lambda: 10 * logs.read_log(live, short),
    }
    goals = (at_most(4), at_most(1.3, TEN_SHORT))
    return [Row(f"a log of {events:,} events read over SSE", "s", bench.alternate(measures), goals)]
