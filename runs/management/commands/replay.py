"""`manage.py replay [--job X] [--since 7d] [--run ID] [--against VERSION] [--json]`: would a deploy break runs?"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from runs.errors import RunsError
from runs.maintenance.replay import Fit, Replayed, replay, runs_to_replay
from runs.maintenance.retention import parse_age

USAGE = 2


class Command(BaseCommand):
    help = (
        "Replay recorded histories against the code of this process, calling and writing nothing. "
        "Exits with 1 if a run that could still go on would break, and names it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--job", metavar="NAME", help="Only runs of this job.")
        parser.add_argument(
            "--since",
            metavar="AGE",
            default="7d",
            help="Ended runs that ended within this time (90s, 30m, 12h, 7d, 2w), too. Default: 7d. "
            "Runs that could still go on are replayed whatever their age.",
        )
        parser.add_argument("--run", metavar="ID", help="Only this run.")
        parser.add_argument("--against", metavar="VERSION", help="Another version of the job than each run's own.")
        parser.add_argument("--json", action="store_true", help="One JSON object for each run, and nothing else.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            runs = runs_to_replay(options["job"], parse_age(options["since"], "since"), options["run"])
        except RunsError as exc:
            raise CommandError(str(exc), returncode=USAGE) from exc
        counts = dict.fromkeys(Fit, 0)
        broken = 0
        for replayed in replay(runs, options["against"]):
            counts[replayed.fit] += 1
            broken += replayed.would_break
            self.stdout.write(json.dumps(replayed.as_json()) if options["json"] else line_of(replayed))
        if not options["json"]:
            told = ", ".join(f"{count} {fit.value}" for fit, count in counts.items() if count) or "no runs"
            self.stdout.write(f"{told}. {broken} that could still go on would break." if broken else f"{told}.")
        if broken:
            raise SystemExit(1)


def line_of(replayed: Replayed) -> str:
    """One line for a reader."""
    shown = f"{replayed.run} {replayed.job} {replayed.version} ({replayed.status}): "
    match replayed.fit:
        case Fit.OK:
            return shown + "ok"
        case Fit.BREAKS:
            return shown + f"{_verb(replayed)}: its history has {replayed.expected}, the code has {replayed.met}"
        case Fit.PRUNED:
            return shown + f"not replayed: {replayed.message}"
        case _:
            return shown + f"{_verb(replayed)}: {replayed.message}"


def _verb(replayed: Replayed) -> str:
    return "WOULD BREAK" if replayed.would_break else "does not fit"
