"""How soon a waiting run goes on after a signal."""

from functools import partial

from benchmarks.bench import Bench
from benchmarks.peers.running import ABSURD, DBOS, peers_on
from benchmarks.perdure import perdure
from benchmarks.programs import Program
from benchmarks.rows import OURS, Row, at_most, percentile


def rows(bench: Bench) -> list[Row]:
    with perdure() as ours, peers_on(ours.database_url, bench.peers_among(DBOS, ABSURD)) as peers:
        # A workflow of DBOS waits in a thread; a task of absurd leaves its worker.
        loaded = _measured(bench, partial(ours.ask, "signal_loaded", count=20), peers, DBOS)
        unloaded = _measured(bench, partial(ours.ask, "signal_unloaded", count=20), peers, ABSURD)
    return [
        Row("signal to a waiting run that is loaded, p50", "ms", loaded, (at_most(5),)),
        Row("signal to a waiting run that is unloaded, p50", "ms", unloaded, (at_most(12),)),
    ]


def _measured(
    bench: Bench, ours: "partial[list[float]]", peers: dict[str, Program], beside: str
) -> dict[str, list[float]]:
    theirs = {beside: partial(peers[beside].ask, "signals", count=10)} if beside in peers else {}
    warm = [partial(peers[beside].ask, "signals", count=1)] if beside in peers else []
    found = bench.alternate({OURS: ours, **theirs}, warm=[partial(ours, count=2), *warm])
    return {name: [percentile(one, 50) for one in lists] for name, lists in found.items()}
