"""Threads over REST: listed, renamed, archived and deleted by those who see them, and by nobody else."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from perdure.agui.models import Thread
from runs.models import Audit, Run
from tests.agui.callers import Caller, in_browser
from tests.agui.conftest import say

pytestmark = pytest.mark.django_db


def _ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [thread["threadId"] for thread in answer.json()["threads"]]


def _code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_list_has_ones_own_threads_the_last_used_first(bob: User, stranger: User) -> None:
    say(bob, "t1", "first words")
    say(stranger, "t2", "others' words")
    say(bob, "t3", "more words")
    answer = Caller(bob).get("/ag-ui/threads/")
    assert _ids(answer) == ["t3", "t1"]
    shape = answer.json()["threads"][1]
    assert (shape["title"], shape["agent"], shape["owner"]) == ("first words", "talk-echo", "bob")
    assert shape["archived"] is False
    assert shape["createdAt"].endswith("Z")
    assert answer["Cache-Control"] == "no-store"


def test_a_list_comes_in_pages_and_by_agent(bob: User) -> None:
    for number in range(3):
        say(bob, f"t{number}", "hello")
    caller = Caller(bob)
    page = caller.get("/ag-ui/threads/?limit=2")
    assert _ids(page) == ["t2", "t1"]
    rest = caller.get("/ag-ui/threads/", {"limit": 2, "cursor": page.json()["nextCursor"]})
    assert _ids(rest) == ["t0"]
    assert "nextCursor" not in rest.json()
    assert _ids(caller.get("/ag-ui/threads/?agent=another")) == []
    assert len(_ids(caller.get("/ag-ui/threads/?agent=talk-echo"))) == 3


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=201", "archived=yes", "cursor=none", "limit=²"])
def test_a_question_that_does_not_fit_is_refused(bob: User, query: str) -> None:
    assert _code(Caller(bob).get(f"/ag-ui/threads/?{query}")) == (400, "INVALID_INPUT")


def test_a_member_of_the_team_sees_and_changes_its_threads(bob: User, team: Group) -> None:
    carol = User.objects.create_user("carol")
    for one in (bob, carol):
        one.groups.add(team)
    say(bob, "t1", "hello", team=team.name)
    caller = Caller(carol)
    assert caller.get("/ag-ui/threads/").json()["threads"][0]["team"] == team.name
    answer = caller.say("PATCH", "/ag-ui/threads/t1/", {"title": "Our words", "archived": True})
    assert (answer.json()["title"], answer.json()["archived"]) == ("Our words", True)
    assert _ids(caller.get("/ag-ui/threads/")) == []
    assert _ids(caller.get("/ag-ui/threads/?archived=true")) == ["t1"]
    assert _ids(caller.get("/ag-ui/threads/?archived=all")) == ["t1"]
    assert caller.say("PATCH", "/ag-ui/threads/t1/", {"archived": False}).json()["archived"] is False
    said = Audit.objects.filter(target="t1").values_list("action", "actor_kind")
    assert {action for action, _ in said} == {"thread.rename", "thread.archive", "thread.unarchive"}
    assert {kind for _, kind in said} == {"token"}


def test_deleting_cancels_what_is_under_way(bob: User) -> None:
    run = say(bob, "t1", "hello").run
    assert run is not None
    answer = Caller(bob).say("DELETE", "/ag-ui/threads/t1/")
    assert answer.json() == {"threadId": "t1", "deleted": True}
    assert not Thread.objects.exists()
    assert Run.objects.get(id=run.id).status == "cancelled"


@pytest.mark.parametrize("body", [{}, {"title": ""}, {"title": 1}, {"title": "x" * 201}, {"archived": "yes"}, [], "{"])
def test_a_change_that_does_not_fit_changes_nothing(bob: User, body: Any) -> None:
    say(bob, "t1", "hello")
    assert _code(Caller(bob).say("PATCH", "/ag-ui/threads/t1/", body)) == (400, "INVALID_INPUT")
    assert Thread.objects.get().title == "hello"


def test_a_stranger_meets_nothing_and_changes_nothing(bob: User, stranger: User) -> None:
    say(bob, "t1", "hello")
    caller = Caller(stranger)
    assert _ids(caller.get("/ag-ui/threads/?archived=all")) == []
    for method, body in (("PATCH", {"title": "mine"}), ("DELETE", None)):
        told = [caller.say(method, f"/ag-ui/threads/{name}/", body) for name in ("t1", "t9")]
        assert [_code(one) for one in told] == [(404, "THREAD_NOT_FOUND")] * 2
    assert Thread.objects.get().title == "hello"


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Bearer", "Basic Ym9iOmJvYg=="])
def test_the_anonymous_and_bad_tokens_are_refused(bob: User, authorization: str) -> None:
    say(bob, "t1", "hello")
    headers = {"authorization": authorization} if authorization else {}
    for method, path in (("GET", "threads/"), ("PATCH", "threads/t1/"), ("DELETE", "threads/t1/")):
        assert _code(Caller().say(method, f"/ag-ui/{path}", {"title": "x"}, **headers)) == (401, "UNAUTHORIZED")
    assert Thread.objects.get().title == "hello"


def test_a_session_needs_its_csrf_token_to_change_things(bob: User) -> None:
    say(bob, "t1", "hello")
    browser, proof = in_browser(bob)
    assert _ids(browser.get("/ag-ui/threads/")) == ["t1"]
    assert _code(browser.say("PATCH", "/ag-ui/threads/t1/", {"title": "x"})) == (403, "CSRF_FAILED")
    assert browser.say("PATCH", "/ag-ui/threads/t1/", {"title": "x"}, **proof).status_code == 200
    foreign = {"origin": "https://evil.example", **proof}
    assert _code(browser.say("DELETE", "/ag-ui/threads/t1/", **foreign)) == (403, "CSRF_FAILED")
    assert Thread.objects.get().title == "x"


def test_a_form_is_refused_before_it_is_read(bob: User) -> None:
    say(bob, "t1", "hello")
    answer = Caller(bob).generic("PATCH", "/ag-ui/threads/t1/", data='{"title": "x"}', content_type="text/plain")
    assert _code(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_another_method_is_refused_by_name(bob: User) -> None:
    answer = Caller(bob).say("POST", "/ag-ui/threads/", {})
    assert _code(answer) == (405, "METHOD_NOT_ALLOWED")
    assert answer["Allow"] == "GET"


def test_a_token_of_the_environment_gets_in_here_and_nowhere_else(settings: Any) -> None:
    settings.AG_UI_AUTH_TOKENS = ("dora=a-token-that-nobody-guesses",)
    bearer = {"authorization": "Bearer a-token-that-nobody-guesses"}
    assert _ids(Caller().get("/ag-ui/threads/", headers=bearer)) == []
    assert User.objects.get().get_username() == "dora"
    for path in ("/api/runs/", "/v1/jobs"):
        assert Caller().get(path, headers=bearer).status_code == 401
    User.objects.update(is_active=False)
    assert _code(Caller().get("/ag-ui/threads/", headers=bearer)) == (401, "UNAUTHORIZED")
