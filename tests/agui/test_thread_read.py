"""`GET /ag-ui/threads/{threadId}/`: what a frontend needs to show a thread again, as it is at this moment."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from runs.testing import drain
from tests.agui.callers import Caller, in_browser
from tests.agui.conftest import say

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/ag-ui/threads/t1/"


def _said(shown: Any) -> list[tuple[str, str]]:
    return [(one["role"], one["content"]) for one in shown["messages"]]


def test_an_idle_thread_has_all_that_was_said(bob: User) -> None:
    say(bob, "t1", "one", state={"colour": "red"})
    drain()
    shown = Caller(bob).get(PATH).json()
    assert (shown["threadId"], shown["status"], shown["interrupts"]) == ("t1", "idle", [])
    assert _said(shown) == [("user", "one"), ("assistant", "You said: one")]
    assert shown["state"] == {"colour": "red"}
    assert "runId" not in shown


def test_a_thread_at_work_names_its_run(bob: User) -> None:
    say(bob, "t1", "one", run_id="r1")
    shown = Caller(bob).get(PATH).json()
    assert (shown["status"], shown["runId"], _said(shown)) == ("running", "r1", [("user", "one")])


def test_a_thread_that_waits_has_its_interrupts(bob: User) -> None:
    say(bob, "t1", "bob", run_id="r1", job="talk-ask")
    drain()
    shown = Caller(bob).get(PATH).json()
    assert (shown["status"], shown["runId"]) == ("waiting", "r1")
    assert [one["message"] for one in shown["interrupts"]] == ["first?"]


def test_interrupts_stand_where_assistant_ui_looks_for_them(bob: User) -> None:
    say(bob, "t1", "one")
    drain()
    say(bob, "t1", "bob", job="talk-ask")
    drain()
    shown = Caller(bob).get(PATH).json()
    assert shown["messages"][1]["metadata"]["custom"]["agui"]["interrupts"] == shown["interrupts"]
    assert "metadata" not in shown["messages"][0]


def test_only_those_who_see_it_read_it(bob: User, stranger: User, team: Group) -> None:
    carol = User.objects.create_user("carol")
    for one in (bob, carol):
        one.groups.add(team)
    say(bob, "t1", "one", team=team.name)
    assert Caller(carol).get(PATH).json()["team"] == team.name
    browser, _ = in_browser(carol)
    assert browser.get(PATH).status_code == 200
    for path in (PATH, "/ag-ui/threads/t9/"):
        answer = Caller(stranger).get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "THREAD_NOT_FOUND")
    assert Caller().get(PATH).status_code == 401
