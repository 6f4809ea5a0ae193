"""`manage.py check_invariants [--json]`: what must hold of the rows at any moment."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from runs.maintenance.invariants import INVARIANTS, Violation, find_violations


class Command(BaseCommand):
    help = "Check what must hold of runs, steps, events and signals; exits with 1 if something does not, and says what."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="One JSON object for each violation, and nothing else.")

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for violation in find_violations():
            count += 1
            self.stdout.write(as_json(violation) if options["json"] else line_of(violation))
        if not options["json"]:
            self.stdout.write(f"{len(INVARIANTS)} invariants, {count} violations.")
        if count:
            raise SystemExit(1)


def line_of(violation: Violation) -> str:
    """One line for a reader."""
    return f"{violation.invariant}: run {violation.run} {violation.detail}".rstrip()


def as_json(violation: Violation) -> str:
    return json.dumps(
        {"invariant": violation.invariant, "run": str(violation.run), "detail": violation.detail}, default=str
    )
