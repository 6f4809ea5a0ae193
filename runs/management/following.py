"""What commands share that start a run and print its events as they come."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from runs import jobs
from runs.errors import RunsError
from runs.events.log import read_events
from runs.events.types import RunEvent
from runs.models import RunStatus

EXIT_CODES: Final = {RunStatus.COMPLETED: 0, RunStatus.FAILED: 1, RunStatus.CANCELLED: 2}
"""Of a command that followed a run to its end."""

BAD_INPUT: Final = 64
"""The exit code of a command that started nothing; 2 means that a run was cancelled."""

_POLL_SECONDS: Final = 0.2
_PAGE: Final = 500


def owner_named(username: str | None) -> Any:
    """The user; None for none. Raises CommandError."""
    if username is None:
        return None
    model = get_user_model()
    try:
        return model.objects.get_by_natural_key(username)
    except model.DoesNotExist:
        problem = f"There is no user {username!r}. Create one in the admin, or leave --user out."
        raise CommandError(problem, returncode=BAD_INPUT) from None


def follow(command: BaseCommand, run_id: UUID, line_of: Callable[[RunEvent], str]) -> None:
    """Print a line of each event that has one until the run ends. Raises CommandError, and SystemExit unless it
    completed."""
    try:
        for event in events_until_end(run_id):
            if line := line_of(event):
                command.stdout.write(line)
                command.stdout.flush()
        status = RunStatus(jobs.get(run_id).status)
    except KeyboardInterrupt:
        raise CommandError(f"Stopped following; run {run_id} goes on.", returncode=130) from None
    except RunsError as exc:
        raise CommandError(str(exc), returncode=BAD_INPUT) from exc
    if EXIT_CODES.get(status):
        raise SystemExit(EXIT_CODES[status])


def events_until_end(run_id: UUID) -> Iterator[RunEvent]:
    """Every event of the log in order; ends when all of an ended run are given."""
    after = 0
    while True:
        # The status comes first: read after the events, it could hide the last ones.
        ended = jobs.get(run_id).has_ended
        page = read_events(run_id, after, _PAGE)
        yield from page
        if page:
            after = page[-1].sequence or after
        elif ended:
            return
        else:
            time.sleep(_POLL_SECONDS)


def printable(line: str) -> str:
    """Without characters that would move a terminal's cursor or that it cannot encode."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in line)
