"""A turn is one run; clients see it as protocol runs, cut where people are asked."""

from threading import Barrier
from threading import Thread as OsThread
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection, transaction

from hitl import answers
from hitl.models import Question
from perdure.agui.models import Thread, ThreadMessage
from perdure.agui.threads import cancel_runs, open_thread
from perdure.agui.turns import (
    ClientRun,
    continue_turn,
    current_protocol_run,
    find_protocol_runs,
    live_turn,
    read_boundaries,
)
from runs import jobs
from runs.errors import RunNotFound
from runs.jobs import SYSTEM
from runs.testing import drain
from tests.agui.conftest import only_run, say

pytestmark = pytest.mark.usefixtures("transactional_db")


def approve(user: User, title: str) -> None:
    question = Question.objects.get(title=title)
    answers.answer(question.id, user, "approve", digest=question.digest)


def test_a_turn_begins_with_one_protocol_run_and_what_was_said(bob: User) -> None:
    turn = say(bob, "t1", "Plan   the\nrelease", run_id="r1", state={"a": 1})
    thread = Thread.objects.get()
    assert (thread.owner, thread.title, thread.agent) == (bob, "Plan the release", "talk-echo")
    assert (turn.number, only_run(turn).run_id, only_run(turn).input) == (1, "r1", {"state": {"a": 1}})
    message = ThreadMessage.objects.get()
    assert message.data == {"id": "t1-u1", "role": "user", "content": "Plan   the\nrelease"}
    assert message.is_input
    assert live_turn(thread) == turn
    drain()
    assert live_turn(thread) is None
    assert current_protocol_run(thread) is None


def test_the_next_protocol_run_begins_where_the_last_was_interrupted(bob: User) -> None:
    turn = say(bob, "t1", "bob", run_id="r1", job="talk-ask")
    drain()
    first = read_boundaries(turn)
    assert len(first.passed) == 1
    assert current_protocol_run(turn.thread) == only_run(turn)
    with transaction.atomic():
        thread = open_thread(bob, "t1")
        approve(bob, "first?")
        second = continue_turn(live_turn(thread), ClientRun(run_id="r1"))  # type: ignore[arg-type]
    assert (second.part, second.after_sequence, second.has_gap) == (2, first.last, False)
    assert current_protocol_run(thread) == second
    drain()
    assert current_protocol_run(thread) == second  # it ended with the second question
    assert [one.part for one in find_protocol_runs(bob, "r1")] == [1, 2]


def test_a_turn_that_went_on_without_its_client_is_met_where_it_is(bob: User) -> None:
    turn = say(bob, "t1", "bob", run_id="r1", job="talk-ask")
    drain()
    approve(bob, "first?")
    seen = current_protocol_run(turn.thread)
    assert seen is not None
    assert (seen.parent_run_id, seen.part, seen.has_gap) == ("r1", 1, False)
    assert UUID(seen.run_id)
    assert seen.after_sequence == read_boundaries(turn).last
    assert current_protocol_run(turn.thread) == seen  # the next reader begins no other
    drain()
    assert current_protocol_run(turn.thread) == seen
    approve(bob, "second?")
    drain()
    assert jobs.get(turn.run_id).status == "completed"  # type: ignore[arg-type]


def test_a_client_that_was_away_for_two_questions_meets_the_second(bob: User) -> None:
    turn = say(bob, "t1", "bob", run_id="r1", job="talk-ask")
    drain()
    approve(bob, "first?")
    drain()
    log = read_boundaries(turn)
    assert len(log.passed) == 2
    seen = current_protocol_run(turn.thread)
    assert seen is not None
    assert (seen.after_sequence, seen.has_gap) == (log.passed[0], False)
    approve(bob, "second?")
    with transaction.atomic():
        last = continue_turn(turn, ClientRun(run_id="r9"))
    assert (last.after_sequence, last.has_gap) == (log.passed[1], False)


def test_a_client_that_skips_what_it_was_not_told_has_a_gap(bob: User) -> None:
    turn = say(bob, "t1", "bob", run_id="r1", job="talk-ask")
    drain()
    approve(bob, "first?")
    drain()
    approve(bob, "second?")
    with transaction.atomic():
        last = continue_turn(turn, ClientRun(run_id="r2"))
    assert last.has_gap


def test_cancelling_a_thread_ends_what_is_under_way(bob: User) -> None:
    turn = say(bob, "t1", "bob", job="talk-ask")
    drain()
    with transaction.atomic():
        assert cancel_runs(open_thread(bob, "t1"), SYSTEM, "enough") == [turn.run_id]
        assert cancel_runs(turn.thread, SYSTEM, "enough") == []
    assert live_turn(turn.thread) is None


def test_an_operators_retry_is_the_same_turn_told_further(bob: User) -> None:
    turn = say(bob, "t1", "fail", run_id="r1")
    drain()
    assert live_turn(turn.thread) is None
    jobs.retry(turn.run_id)  # type: ignore[arg-type]
    assert live_turn(turn.thread) == turn
    seen = current_protocol_run(turn.thread)
    assert seen is not None
    assert seen.run_id != "r1"
    assert seen.after_sequence == read_boundaries(turn).last


def test_a_protocol_run_is_found_by_those_who_see_its_thread(bob: User, stranger: User, team: Group) -> None:
    colleague = User.objects.create_user("carol")
    for one in (bob, colleague):
        one.groups.add(team)
    own, shared = say(bob, "t1", "hello", run_id="same"), say(bob, "t2", "hello", run_id="shared", team=team.name)
    theirs = say(stranger, "t3", "hello", run_id="same")
    assert [one.turn for one in find_protocol_runs(bob, "same")] == [own]
    assert [one.turn for one in find_protocol_runs(stranger, "same")] == [theirs]
    assert [one.turn for one in find_protocol_runs(colleague, "shared")] == [shared]
    for user, run_id in ((stranger, "shared"), (colleague, "same"), (bob, "no\0such"), (bob, "")):
        with pytest.raises(RunNotFound):
            find_protocol_runs(user, run_id)


def test_a_colleagues_run_of_the_same_id_takes_nobodys_place(bob: User, root: User, team: Group) -> None:
    colleague = User.objects.create_user("ann")
    for one in (bob, colleague):
        one.groups.add(team)
    mine = say(bob, "t1", "hello", run_id="same", team=team.name)
    theirs = say(colleague, "t2", "hello", run_id="same", team=team.name)
    assert [one.turn for one in find_protocol_runs(bob, "same")] == [mine]
    assert [one.turn for one in find_protocol_runs(colleague, "same")] == [theirs]
    assert [one.turn for one in find_protocol_runs(root, "same")] == [theirs]  # the newest of others'


def test_readers_who_come_at_once_begin_no_protocol_run_twice(bob: User) -> None:
    turn = say(bob, "t1", "bob", job="talk-ask")
    drain()
    approve(bob, "first?")
    start, seen = Barrier(4), []

    def read() -> None:
        start.wait(30)
        try:
            seen.append(current_protocol_run(turn.thread))
        finally:
            connection.close()

    readers = [OsThread(target=read) for _ in range(4)]
    for one in readers:
        one.start()
    for one in readers:
        one.join(60)
    assert len(seen) == 4
    assert set(seen) == {turn.protocol_runs.order_by("id").last()}
    assert turn.protocol_runs.count() == 2


def test_a_client_that_asks_again_and_again_has_each_of_its_runs_settled(bob: User) -> None:
    turn = say(bob, "t1", "bob", run_id="r0", job="talk-ask")
    drain()
    for number in range(5):
        with transaction.atomic():
            continue_turn(turn, ClientRun(run_id=f"r{number}", protocol_version="1.0" if number else ""))
    jobs.cancel(turn.run_id)  # type: ignore[arg-type]
    drain()
    ends = []
    for one in turn.protocol_runs.all():
        assert one.outcome is not None
        assert one.outcome["runId"] == one.run_id
        ends.append(one.outcome["outcome"]["type"])
    assert ends == ["interrupt"] * 6 + ["cancelled"], "nobody was told of the last one, and who comes back is"
