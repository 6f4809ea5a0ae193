"""`manage.py start_run JOB --input JSON [--follow]`: start a run from the command line."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localtime

from runs import jobs
from runs.errors import RunsError
from runs.events.types import RunEvent
from runs.management.following import BAD_INPUT, follow, owner_named, printable

_LONGEST_VALUE = 200


class Command(BaseCommand):
    help = "Start a run of a job and print its id. With --follow, print its events until it ends."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", help="Name of a registered job.")
        parser.add_argument("--input", default="{}", help="The run's input as JSON. Default: {}.")
        parser.add_argument("--job-version", help="Version of the job. Default: the newest.")
        parser.add_argument("--user", help="Username of the owner. Default: nobody; only superusers see it.")
        parser.add_argument("--idempotency-key", help="Give the run that was started with this key, if there is one.")
        parser.add_argument(
            "--follow",
            action="store_true",
            help="Print events until the run ends; exit with 0 when it completed, 1 failed, 2 was cancelled.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = _start(options)
        self.stdout.write(f"{started.run.id} {started.disposition}")
        self.stdout.flush()
        if options["follow"]:
            follow(self, started.run.id, line_of)


def line_of(event: RunEvent) -> str:
    """One line for a reader: sequence, time, type, step with attempt, data."""
    at = localtime(event.created_at).strftime("%H:%M:%S") if event.created_at else ""
    place = f" {event.step}" if event.step else ""
    attempt = f" #{event.attempt}" if event.attempt else ""
    data = " ".join(f"{name}={_short(value)}" for name, value in event.data.items())
    return printable(f"{event.sequence:>5} {at} {event.type}{place}{attempt} {data}".rstrip())


def _start(options: dict[str, Any]) -> jobs.Started:
    try:
        return jobs.start(
            options["job"],
            _parsed(options["input"]),
            version=options["job_version"],
            owner=owner_named(options["user"]),
            idempotency_key=options["idempotency_key"],
            actor=jobs.Actor(kind="system", id="", name="start_run"),
        )
    except RunsError as exc:
        raise CommandError(str(exc), returncode=BAD_INPUT) from exc


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        raise CommandError(
            f"--input is not JSON: {exc}. Give an object in quotes, as in --input '{{\"start\": 10}}'.",
            returncode=BAD_INPUT,
        ) from exc


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}… ({len(text)} characters)"
