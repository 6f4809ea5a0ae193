"""`python -m benchmarks`: measure, print the table, keep the figures and write the page that shows them."""

import argparse
import importlib
import json
import os
import signal
import sys
from typing import Any

from benchmarks.bench import Bench
from benchmarks.environment import environment
from benchmarks.peers.environments import environment_for
from benchmarks.peers.running import ABSURD, CELERY, DBOS, DJANGO_Q2, PROCRASTINATE, PROGRAMS
from benchmarks.report import RESULTS, described, write_page
from benchmarks.rows import Row
from benchmarks.table import table
from tests.servers import databases

MODULES = {
    "steps": "benchmarks.steps",
    "starts": "benchmarks.starts",
    "latency": "benchmarks.latency",
    "signals": "benchmarks.signals",
    "replay": "benchmarks.replay",
    "claims": "benchmarks.claims",
    "takeover": "benchmarks.takeover",
    "live": "benchmarks.live.table",
    "ui": "benchmarks.ui.table",
}
"""What can be measured, in the page's order: a name, and a module with `rows(bench: Bench) -> list[Row]`."""

SERVER = ("shared_buffers = 512MB", "max_wal_size = 4GB")
PEERS = (DBOS, ABSURD)
MORE_PEERS = (CELERY, PROCRASTINATE, DJANGO_Q2)


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # with every process that was started
    if "TEST_DATABASE_URL" not in os.environ:
        os.environ["TEST_DATABASE_URL"] = databases.start_postgresql(*SERVER)
    os.environ["TEST_REDIS_URL"] = databases.redis_url()
    bench = Bench(quick=options.quick, peers=_peers(options), progress=_say)
    for name in bench.peers:
        environment_for(PROGRAMS[name])  # now, not between two figures
    try:
        found = [row for name in options.only for row in _measure(name, bench)]
    finally:
        if not options.quick:
            write_page(list(MODULES))  # what was measured before one failed is kept, too
    sys.stdout.write(f"{table(found)}\n\n{described(_environment(bench))}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", type=_names, default=list(MODULES), help=f"some of {','.join(MODULES)}")
    parser.add_argument("--quick", action="store_true", help="few repetitions, nothing kept, no peers unless asked for")
    parser.add_argument("--peers", choices=("none", "some", "all"), help="DBOS and absurd, or the task queues too")
    return parser


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in MODULES]:
        raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}; there is {', '.join(MODULES)}")
    return names


def _peers(options: argparse.Namespace) -> tuple[str, ...]:
    wanted = options.peers or ("none" if options.quick else "some")
    return {"none": (), "some": PEERS, "all": PEERS + MORE_PEERS}[wanted]


def _measure(name: str, bench: Bench) -> list[dict[str, Any]]:
    _say(f"{name} ...")
    rows: list[Row] = importlib.import_module(MODULES[name]).rows(bench)
    data = [row.as_data() for row in rows]
    if not bench.quick:
        RESULTS.mkdir(exist_ok=True)
        kept = {"environment": _environment(bench), "rows": data}
        (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n")
    return data


def _environment(bench: Bench) -> dict[str, Any]:
    return environment(databases.postgresql_url(), [PROGRAMS[name] for name in bench.peers])


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
