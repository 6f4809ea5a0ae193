"""Clean-up takes runs and their histories, never what was said, and nothing that is still needed."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import ProtectedError

from perdure.agui.models import ProtocolRun, Thread, ThreadMessage, Turn
from perdure.agui.transcript import history
from perdure.agui.turns import read_boundaries
from runs import jobs
from runs.maintenance.retention import prune, remove_completed
from runs.models import EndHook, Event, Run
from runs.testing import advance, drain
from tests.agui.conftest import only_run, say

pytestmark = pytest.mark.usefixtures("transactional_db")
DAY = timedelta(days=1)


def said(thread: Thread) -> list[str]:
    return [str(one.content) for one in history(thread)]


def test_what_was_said_outlives_the_log_and_the_run(bob: User) -> None:
    turn = say(bob, "t1", "hello")
    drain()
    advance(2 * DAY)
    prune()
    assert not Event.objects.exists()
    assert said(turn.thread) == ["hello", "You said: hello"]
    advance(400 * DAY)
    prune()
    assert not Run.objects.exists()
    turn.refresh_from_db()
    assert (turn.run, turn.status) == (None, "completed")
    kept = only_run(turn).outcome
    assert kept is not None
    assert kept["outcome"] == {"type": "success"}
    assert said(turn.thread) == ["hello", "You said: hello"]


def test_no_run_goes_before_its_turn_is_settled(bob: User) -> None:
    turn = say(bob, "t1", "bob", job="talk-ask")
    drain()
    jobs.cancel(turn.run_id)  # type: ignore[arg-type]
    advance(400 * DAY)
    assert Run.objects.get().end_hook == EndHook.DUE
    assert prune().jobs == ()
    drain()
    assert Turn.objects.get().settled_at is not None
    assert prune().runs == 1


def test_a_waiting_turn_is_kept_whole(bob: User) -> None:
    turn = say(bob, "t1", "bob", job="talk-ask")
    drain()
    advance(400 * DAY)
    assert prune().jobs == ()
    assert read_boundaries(turn).passed


def test_a_run_that_goes_at_its_end_leaves_what_was_said(bob: User) -> None:
    turn = say(bob, "t1", "hello", job="talk-and-go")
    drain()
    advance(timedelta(seconds=11))
    assert remove_completed() == 1
    assert said(turn.thread) == ["hello", "You said: hello"]


def test_a_person_goes_with_their_threads_but_not_while_runs_are_theirs(bob: User, team: Group) -> None:
    bob.groups.add(team)
    for thread_id, team_name in (("t1", None), ("t2", team.name)):
        say(bob, thread_id, "hello", team=team_name)
    drain()
    with pytest.raises(ProtectedError):
        bob.delete()
    assert Thread.objects.count() == 2
    for run in Run.objects.all():
        jobs.delete(run.id)
    bob.delete()
    for model in (Thread, Turn, ProtocolRun, ThreadMessage):
        assert not model.objects.exists()
