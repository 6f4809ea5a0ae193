"""The report of a campaign: Markdown for people, JSON for programs."""

import json
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.faults.campaign.campaign import Outcome
from tests.faults.campaign.faults import Fault


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Times in seconds."""
    return {
        "database": outcome.database,
        "seed": outcome.seed,
        "seconds": outcome.seconds,
        "versions": outcome.versions,
        "counted_faults": outcome.counting,
        "counted": outcome.counted,
        "acts": outcome.acts,
        "violations": outcome.violations,
        "evidence": outcome.evidence,
        "faults": [_fault(fault) for fault in outcome.faults],
    }


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "number": fault.number,
        "at": round(fault.at, 2),
        "kind": fault.kind,
        "victim": fault.victim,
        "held": len(fault.held),
        "transactions": fault.transactions,
        "counts": fault.counts,
        "recovered": None if fault.recovered is None else round(fault.recovered, 2),
    }


def as_markdown(found: dict[str, Any]) -> str:
    """One database's part, from `as_json`."""
    verdict = f"**{len(found['violations'])} violations**" if found["violations"] else "no violation"
    counted = found["counted"]
    lines = [
        f"## {_name(found)}",
        "",
        f"{found['counted_faults']} counted faults in {found['seconds'] / 60:g} minutes, {verdict}. "
        f"Seed {found['seed']}. {found['versions']}.",
        "",
        f"{counted.get('programs', 0)} programs, {counted.get('runs', 0)} runs, {counted.get('calls', 0)} calls of "
        f"steps ({counted.get('repeated_calls', 0)} repeated before their result was recorded, "
        f"{counted.get('calls_of_thawed', 0)} by a process that was frozen in the moment of the call), "
        f"{counted.get('effects', 0)} transactions, {counted.get('signals', 0)} signals. "
        f"Ends: {_pairs(counted.get('ends', {}))}. By hand: {_pairs(found['acts'])}.",
        "",
        *(f"- {violation}" for violation in found["violations"]),
        "",
        "| fault | done | counted | recovery p50 | p95 | longest |",
        "|---|---:|---:|---:|---:|---:|",
        *_kinds(found["faults"]),
        "",
    ]
    return "\n".join(lines)


def _name(found: dict[str, Any]) -> str:
    return {"postgresql": "PostgreSQL", "sqlite": "SQLite"}[found["database"]]


def _pairs(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"


def _kinds(faults: list[dict[str, Any]]) -> list[str]:
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for fault in faults:
        by_kind[fault["kind"]].append(fault)
    return [_kind(kind, same) for kind, same in sorted(by_kind.items())]


def _kind(kind: str, faults: list[dict[str, Any]]) -> str:
    counted = [fault for fault in faults if fault["counts"]]
    times = sorted(fault["recovered"] for fault in counted if fault["recovered"] is not None)
    shown = "| | |" if not times else f"{statistics.median(times):.1f} s | {_p95(times):.1f} s | {times[-1]:.1f} s"
    return f"| {kind.replace('_', ' ')} | {len(faults)} | {len(counted)} | {shown} |"


def _p95(times: list[float]) -> float:
    return times[min(len(times) - 1, int(len(times) * 0.95))]


def fault_list(found: dict[str, Any]) -> str:
    """Every fault: when, what, whom, what it held, how long until the runs went on."""
    rows = [
        f"| {fault['number']} | {fault['at']:.1f} | {fault['kind'].replace('_', ' ')} | {fault['victim']} | "
        f"{fault['held']} | {fault['transactions']} | "
        f"{'' if fault['recovered'] is None else format(fault['recovered'], '.1f')} |"
        for fault in found["faults"]
        if fault["counts"]
    ]
    head = ["| # | second | fault | victim | runs held | transactions | recovered after, s |", "|" + "---|" * 7]
    return "\n".join([*head, *rows, ""])


def write(file: Path, outcome: Outcome) -> None:
    file.write_text(json.dumps(as_json(outcome), indent=1) + "\n")


INTRODUCTION = """# Faults: the last campaign that was kept

Random programs (steps, streams, retries, sleeps, signals, children, maps, branches, races, transactions) run on real
worker processes while `make faults` kills, freezes and cuts off what carries them. On PostgreSQL there are two workers
of two drivers each, behind a proxy each and as if on hosts of their own, the second with a clock that is wrong; on
SQLite one worker of two drivers. A fault counts when, at its moment, the database names a lease on a running run that
is held by the struck process (when the database or Redis is struck: by any process), or an open transaction.

What must match at the end is counted apart from the engine: each call of a step's function is a line in a file, each
transactional step makes a row of its own, each program's value is worked out without the engine. A step is called at
least once until it is recorded and never after; a transaction and a signal happen exactly once; every invariant of
[invariants.md](invariants.md) holds; event numbers have no gap. A run that does not move for 75 s ends the campaign.

"Recovery" is the time until every run that the victim held had moved again. It holds the length of the fault itself (a
process is frozen past its lease of 4 s) and that of the step under way.

"cut": the worker's connections to PostgreSQL are closed. "deafen": they stay open and nothing passes, for up to 8 s;
then all of it passes, or they are cut. "lose": they are forgotten on their way, and the worker is never told; after 25
seconds of silence its processes give them up. "kill worker": the top process, whose death ends the others. "lock
file": somebody else holds the lock of the SQLite file for up to 3 s.
"""


def keep(folder: Path, found: list[dict[str, Any]]) -> None:
    """Write faults.md and faults.json, which replace those of the last campaign."""
    found = [{name: value for name, value in one.items() if name != "evidence"} for one in found]  # a path of this host
    parts = [INTRODUCTION, *(as_markdown(one) for one in found)]
    parts += [f"## Every counted fault on {_name(one)}\n\n{fault_list(one)}" for one in found]
    (folder / "faults.md").write_text("\n".join(parts))
    (folder / "faults.json").write_text(json.dumps(found, indent=1) + "\n")
