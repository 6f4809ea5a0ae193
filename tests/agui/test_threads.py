"""Threads belong to people and teams; whoever is neither meets nothing, not even that a thread is there."""

from datetime import timedelta
from threading import Barrier
from threading import Thread as OsThread
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.db import connection, transaction

from perdure.agui.errors import ThreadNotFound
from perdure.agui.models import Thread, Turn
from perdure.agui.threads import (
    archive_thread,
    delete_thread,
    get_thread,
    list_threads,
    open_thread,
    rename_thread,
    unarchive_thread,
    visible_threads,
)
from runs import jobs
from runs.errors import InvalidOption
from runs.models import Audit
from runs.testing import advance, drain
from tests.agui.conftest import reloaded, say

pytestmark = pytest.mark.usefixtures("transactional_db")


def test_others_threads_and_none_are_the_same(bob: User, stranger: User, root: User) -> None:
    thread = say(bob, "t1", "hello").thread
    assert get_thread(bob, "t1") == get_thread(root, "t1") == thread
    actions: list[Any] = [
        get_thread, archive_thread, unarchive_thread, delete_thread, lambda user, id: rename_thread(user, id, "mine"),
    ]  # fmt: skip
    for act in actions:
        messages = set()
        for user, thread_id in ((stranger, "t1"), (stranger, "t9")):
            with pytest.raises(ThreadNotFound) as refused:
                act(user, thread_id)
            messages.add(str(refused.value).replace(thread_id, "..."))
        assert len(messages) == 1
    with pytest.raises(ThreadNotFound), transaction.atomic():
        open_thread(stranger, "t1")
    assert not visible_threads(AnonymousUser()).exists()
    assert reloaded(thread).title == "hello"
    bob.is_active = False
    assert not visible_threads(bob).exists()


def test_a_teams_thread_is_its_members_as_long_as_they_are(bob: User, team: Group) -> None:
    carol = User.objects.create_user("carol")
    for one in (bob, carol):
        one.groups.add(team)
    say(bob, "t1", "hello", team=team.name)
    drain()
    turn = say(carol, "t1", "hello again")
    assert turn.number == 2
    assert turn.run is not None
    assert (turn.run.owner, turn.run.team) == (carol, team)
    bob.groups.remove(team)
    with pytest.raises(ThreadNotFound):
        get_thread(bob, "t1")


def test_a_superuser_speaks_in_the_owners_name(bob: User, root: User) -> None:
    say(bob, "t1", "hello")
    drain()
    turn = say(root, "t1", "from above")
    assert turn.run is not None
    assert jobs.visible_runs(bob).filter(id=turn.run.id).exists()


@pytest.mark.parametrize("team", ["others", "no such team", ""])
def test_nobody_begins_a_thread_in_a_team_of_others(bob: User, stranger: User, team: str) -> None:
    with pytest.raises(InvalidOption, match="not a team that you are in"), transaction.atomic():
        open_thread(bob, "t1", team)
    assert not Thread.objects.exists()


def test_a_thread_keeps_its_team(bob: User, team: Group) -> None:
    bob.groups.add(team)
    say(bob, "t1", "hello")
    with pytest.raises(InvalidOption, match="not the thread's"), transaction.atomic():
        open_thread(bob, "t1", team.name)


@pytest.mark.parametrize("thread_id", ["", "x" * 257, "a\0b", "a\nb", None])
def test_what_is_no_id_is_refused(bob: User, thread_id: Any) -> None:
    with pytest.raises(InvalidOption), transaction.atomic():
        open_thread(bob, thread_id)
    with pytest.raises(ThreadNotFound):
        get_thread(bob, thread_id)


def test_two_who_begin_one_thread_at_once_make_one(bob: User, stranger: User) -> None:
    start, said = Barrier(4), []

    def begin(user: User, number: int) -> None:
        start.wait(30)
        try:
            said.append(say(user, "t1", f"hello {number}").number)
        except ThreadNotFound:
            said.append(0)
        finally:
            connection.close()

    people = [bob, bob, stranger, stranger]
    threads = [OsThread(target=begin, args=(user, number)) for number, user in enumerate(people)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert sorted(said) == [0, 0, 1, 2]
    owner = Thread.objects.get().owner
    assert {turn.run.owner for turn in Turn.objects.all() if turn.run} == {owner}
    assert list(Thread.objects.get().messages.values_list("position", flat=True)) == [1, 2]


def test_threads_are_listed_page_by_page_the_last_used_first(bob: User, stranger: User) -> None:
    for number in range(5):
        say(bob, f"t{number}", "hello", job="talk-ask" if number == 3 else "talk-echo")
        advance(timedelta(seconds=1))
    say(stranger, "theirs", "hello")
    seen, cursor = [], None
    for _ in range(3):
        page, cursor = list_threads(bob, limit=2, cursor=cursor)
        seen.append([one.thread_id for one in page])
    assert seen == [["t4", "t3"], ["t2", "t1"], ["t0"]]
    assert cursor is None
    assert [one.thread_id for one in list_threads(bob, agent="talk-ask")[0]] == ["t3"]
    for bad in ("x", "bm90aGluZw==", "é"):
        with pytest.raises(InvalidOption):
            list_threads(bob, cursor=bad)


def test_an_archived_thread_comes_back_with_its_next_turn(bob: User) -> None:
    say(bob, "t1", "hello")
    archive_thread(bob, "t1")
    assert list_threads(bob)[0] == []
    assert [one.thread_id for one in list_threads(bob, archived=True)[0]] == ["t1"]
    assert len(list_threads(bob, archived=None)[0]) == 1
    unarchive_thread(bob, "t1")
    assert len(list_threads(bob)[0]) == 1
    archive_thread(bob, "t1")
    say(bob, "t1", "again")
    assert len(list_threads(bob)[0]) == 1


def test_a_name_that_people_gave_stays(bob: User) -> None:
    say(bob, "t1", "hello")
    rename_thread(bob, "t1", "  The release ")
    say(bob, "t1", "more")
    assert get_thread(bob, "t1").title == "The release"
    for bad in ("", " ", "x" * 201, "a\nb"):
        with pytest.raises(InvalidOption):
            rename_thread(bob, "t1", bad)
    assert list(Audit.objects.filter(action="thread.rename").values_list("target", "actor_name")) == [("t1", "bob")]


def test_deleting_a_thread_cancels_what_is_under_way(bob: User) -> None:
    waiting = say(bob, "t1", "bob", job="talk-ask")
    drain()
    delete_thread(bob, "t1")
    run = jobs.get(waiting.run_id)  # type: ignore[arg-type]
    assert (run.status, run.reason) == ("cancelled", "Its thread was deleted.")
    assert not Thread.objects.exists()
    assert Audit.objects.filter(action="thread.delete", target="t1", actor_name="bob").exists()
    drain()  # its end finds no turn, and needs none
    say(bob, "t1", "anew")
    assert get_thread(bob, "t1").turns.get().number == 1
