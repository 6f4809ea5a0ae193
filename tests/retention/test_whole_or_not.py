"""Events are removed together with the rise of `first_sequence`, or not at all: a reader never meets a bare hole."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection

from runs.events.log import read_events
from runs.maintenance.retention import prune
from runs.models import Run


def test_events_stay_when_first_sequence_cannot_rise(ended: Callable[..., Run]) -> None:
    run = ended(timedelta(days=2), wait=False)
    before = [event.sequence for event in read_events(run.id)]

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "first_sequence" in sql and sql.startswith("UPDATE"):
            raise DatabaseError("the connection was lost in between")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse), pytest.raises(DatabaseError):
        prune()
    run.refresh_from_db()
    assert [event.sequence for event in read_events(run.id)] == before
    assert (run.first_sequence, run.pruned_at) == (1, None)
    assert prune().trimmed == 1
