"""The State tab: the run's document now, and as it was after each of its changes."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jsonpatch
import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.dashboard.run.state.history import Change, document_after
from runs import clock
from runs.models import Event, Run, State

SignedIn = Callable[..., Client]
AT = datetime(2026, 1, 1, tzinfo=UTC)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
DOCUMENTS = st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=4), min_size=1, max_size=5)


def changes_of(documents: list[dict[str, Any]]) -> list[Change]:
    pairs = zip([{}, *documents], documents, strict=False)
    return [Change(number, AT, jsonpatch.make_patch(*pair).patch) for number, pair in enumerate(pairs, 1)]


@settings(max_examples=40)
@given(DOCUMENTS)
def test_after_each_change_the_document_is_what_it_was(documents: list[dict[str, Any]]) -> None:
    changes = changes_of(documents)
    assert [document_after(changes[:count]) for count in range(len(changes) + 1)] == [{}, *documents]
    assert all(change.said for change in changes)


def test_patches_without_their_beginning_tell_no_document() -> None:
    assert document_after(changes_of([{"a": {"b": 1}}, {"a": {"b": 2}}])[1:]) is None


@pytest.fixture
def stated(run: Run) -> Run:
    """A run whose state was changed twice."""
    documents: list[dict[str, Any]] = [{"files": ["<b>"]}, {"files": ["<b>", "second"], "done": True}]
    State.objects.create(run=run, value=documents[-1])
    first = run.last_sequence
    for change in changes_of(documents):
        Event.objects.create(
            run=run, sequence=first + change.sequence, type="state:patch", data={"patch": change.patch},
            created_at=clock.now(),
        )  # fmt: skip
    Run.objects.filter(pk=run.pk).update(last_sequence=first + 2)
    run.refresh_from_db()
    return run


def test_the_document_is_shown_now_and_as_of_each_change(stated: Run, owner: User, signed_in: SignedIn) -> None:
    client, address = signed_in(owner), f"/runs/{stated.pk}/state/"
    now = client.get(address).content.decode()
    assert "State now" in now
    assert "second" in now
    assert "&lt;b&gt;" in now
    assert "set done" in now
    before = client.get(f"{address}?as_of={stated.last_sequence - 1}").content.decode()
    assert f"State as of change #{stated.last_sequence - 1}" in before
    assert "set files" in before
    assert '"second"' not in before.replace("&quot;", '"').split('id="changes-title"')[0]
    assert client.get(f"{address}?as_of={stated.last_sequence}").status_code == 200
    assert client.get(f"{address}?as_of=1").status_code == 404
    assert client.get(f"{address}?as_of=x").status_code == 400


def test_what_was_cleaned_up_is_said(stated: Run, owner: User, signed_in: SignedIn) -> None:
    Event.objects.filter(run=stated, sequence__lt=stated.last_sequence).delete()
    Run.objects.filter(pk=stated.pk).update(first_sequence=stated.last_sequence)
    page = signed_in(owner).get(f"/runs/{stated.pk}/state/?as_of={stated.last_sequence}").content.decode()
    assert "the events before it were cleaned up" in page


def test_the_tab_is_there_once_there_is_a_state(run: Run, owner: User, signed_in: SignedIn) -> None:
    client = signed_in(owner)
    assert f"/runs/{run.pk}/state/" not in client.get(f"/runs/{run.pk}/").content.decode()
    assert "has set no state" in client.get(f"/runs/{run.pk}/state/").content.decode()
    State.objects.create(run=run, value={})
    assert f"/runs/{run.pk}/state/" in client.get(f"/runs/{run.pk}/").content.decode()


def test_strangers_find_no_state_and_the_anonymous_sign_in(stated: Run, stranger: User, signed_in: SignedIn) -> None:
    assert signed_in(stranger).get(f"/runs/{stated.pk}/state/").status_code == 404
    assert Client().get(f"/runs/{stated.pk}/state/").status_code == 302
