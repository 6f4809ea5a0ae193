"""What commands share that print a run's events as they come."""

import time
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from runs import jobs
from runs.events.log import read_events
from runs.events.types import RunEvent
from runs.models import RunStatus

EXIT_CODES: Final = {RunStatus.COMPLETED: 0, RunStatus.FAILED: 1, RunStatus.CANCELLED: 2}
"""Of a command that followed a run to its end."""

_POLL_SECONDS: Final = 0.2
_PAGE: Final = 500


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
