"""The log of a run names its updates, on the first paint as in the live rows."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from perdure.dashboard.run.rows import event_text
from runs.events.types import EventType, RunEvent
from runs.models import Event, Run

SignedIn = Callable[..., Client]


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        (EventType.UPDATE_ACCEPT, {"update": "add", "id": 1, "actor": {"kind": "system"}}, "add"),
        (EventType.UPDATE_COMPLETE, {"update": "add", "id": 1, "result": 5}, "add"),
        (
            EventType.UPDATE_FAIL,
            {"update": "add", "error": {"type": "ValueError", "message": "no"}},
            "add ValueError: no",
        ),
    ],
)
def test_an_event_of_an_update_says_which_one(run: Run, kind: EventType, data: dict[str, object], text: str) -> None:
    assert event_text(RunEvent(type=kind, run_id=run.id, data=data)) == text


def test_the_page_shows_it(run: Run, owner: User, signed_in: SignedIn) -> None:
    Event.objects.create(
        run=run, sequence=run.last_sequence + 1, type="update:complete", data={"update": "raise <b>"},
        created_at=run.created_at,
    )  # fmt: skip
    Run.objects.filter(id=run.id).update(last_sequence=run.last_sequence + 1)
    page = signed_in(owner).get(f"/runs/{run.pk}/log/").content.decode()
    assert "raise &lt;b&gt;" in page
    assert 'data-type="update:complete"' in page
