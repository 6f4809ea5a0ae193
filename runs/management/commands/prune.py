"""`manage.py prune [--dry-run] [--older-than 7d] [--job NAME]`: remove ended runs and histories that are old enough."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from runs.errors import RunsError
from runs.jobs import Actor
from runs.maintenance.retention import Pruned, parse_age, prune

_BAD_INPUT = 64


class Command(BaseCommand):
    help = "Remove ended runs, and histories of ended runs, that are older than their retention."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only print what would be removed.")
        parser.add_argument(
            "--older-than",
            metavar="AGE",
            help="Delete runs that ended longer ago than this (90s, 30m, 12h, 7d, 2w), whatever their retention says.",
        )
        parser.add_argument("--job", metavar="NAME", help="Only runs of this job.")

    def handle(self, *args: Any, **options: Any) -> None:
        age = options["older_than"]
        try:
            pruned = prune(
                None if age is None else parse_age(age),
                options["job"],
                options["dry_run"],
                actor=Actor(kind="user", name="manage.py prune"),
            )
        except RunsError as exc:
            raise CommandError(str(exc), returncode=_BAD_INPUT) from exc
        self._show(pruned)

    def _show(self, pruned: Pruned) -> None:
        for job in pruned.jobs:
            self.stdout.write(f"{job.job}: {job.runs} runs, {job.trimmed} histories, {job.events} events")
        verb = "Would remove" if pruned.dry_run else "Removed"
        self.stdout.write(
            f"{verb} {pruned.runs} runs, the histories of {pruned.trimmed} more, and {pruned.events} events."
        )
