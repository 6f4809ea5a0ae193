"""`manage.py start_run JOB --input JSON [--follow]`: start a run from the command line."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localtime

from runs import jobs
from runs.errors import RunsError
from runs.events.types import RunEvent
from runs.management.following import EXIT_CODES, events_until_end, printable
from runs.models import RunStatus

BAD_INPUT = 64

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
            self._follow(started.run.id)

    def _follow(self, run_id: UUID) -> None:
        try:
            for event in events_until_end(run_id):
                self.stdout.write(line_of(event))
                self.stdout.flush()
            status = RunStatus(jobs.get(run_id).status)
        except KeyboardInterrupt:
            raise CommandError(f"Stopped following; run {run_id} goes on.", returncode=130) from None
        except RunsError as exc:
            raise CommandError(str(exc), returncode=BAD_INPUT) from exc
        if EXIT_CODES.get(status):
            raise SystemExit(EXIT_CODES[status])


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
            owner=_owner(options["user"]),
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


def _owner(username: str | None) -> Any:
    if username is None:
        return None
    model = get_user_model()
    try:
        return model.objects.get_by_natural_key(username)
    except model.DoesNotExist:
        raise CommandError(
            f"There is no user {username!r}. Create one in the admin, or leave --user out.", returncode=BAD_INPUT
        ) from None


def _short(value: Any) -> str:
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}… ({len(text)} characters)"
