"""CopilotKit's client finds its runtime here: what is served, threads, Stop; on many addresses and on one."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from flows.pipelines.catalogue import all_pipelines
from perdure.agui.models import Thread
from runs.models import Run
from tests.agui.callers import Caller, in_browser
from tests.agui.conftest import say

pytestmark = pytest.mark.django_db(transaction=True)

STOP = "/copilotkit/agent/talk-echo/stop/t1"


def _code(answer: Any) -> tuple[int, str]:
    assert set(answer.json()) <= {"error", "message", "details"}
    assert answer.json()["message"]
    return answer.status_code, answer.json()["error"]


def _single(caller: Caller, method: str, params: Any = None, body: Any = None, path: str = "/copilotkit") -> Any:
    return caller.say("POST", path, {"method": method, "params": params or {}} | ({"body": body} if body else {}))


def test_info_names_every_agent_and_what_is_served(bob: User) -> None:
    told = Caller(bob).get("/copilotkit/info").json()
    assert (told["mode"], told["telemetryDisabled"]) == ("sse", True)
    assert told["threadEndpoints"] == {"list": True, "inspect": True, "mutations": True, "realtimeMetadata": False}
    agent = told["agents"]["talk-echo"]
    assert (agent["name"], agent["className"]) == ("talk-echo", "talk-echo")
    assert agent["capabilities"]["transport"]["resumable"] is True
    assert {made.type for made in all_pipelines()} <= set(told["agents"])


def test_the_default_agent_has_the_name_that_its_components_ask_for(bob: User, settings: Any) -> None:
    settings.AG_UI_DEFAULT_JOB = "talk-echo"
    assert Caller(bob).get("/copilotkit/info").json()["agents"]["default"]["className"] == "talk-echo"
    settings.AG_UI_DEFAULT_JOB = "no-such-job"
    assert "default" not in Caller(bob).get("/copilotkit/info").json()["agents"]


def test_threads_are_listed_under_the_id_that_was_asked(bob: User, stranger: User, settings: Any) -> None:
    settings.AG_UI_DEFAULT_JOB = "talk-echo"
    say(bob, "t1", "hello")
    say(stranger, "t2", "hello")
    caller = Caller(bob)
    for agent_id in ("default", "talk-echo"):
        told = caller.get(f"/copilotkit/threads?agentId={agent_id}").json()
        assert [(one["id"], one["name"], one["agentId"]) for one in told["threads"]] == [("t1", "hello", agent_id)]
        assert told["nextCursor"] is None
    assert caller.get("/copilotkit/threads?agentId=talk-ask").json()["threads"] == []
    assert _code(caller.get("/copilotkit/threads?agentId=nobody")) == (404, "AGENT_NOT_FOUND")


def test_threads_come_in_pages(bob: User) -> None:
    for number in range(3):
        say(bob, f"t{number}", "hello")
    page = Caller(bob).get("/copilotkit/threads?limit=2").json()
    rest = Caller(bob).get("/copilotkit/threads", {"limit": 2, "cursor": page["nextCursor"]}).json()
    assert [one["id"] for one in page["threads"] + rest["threads"]] == ["t2", "t1", "t0"]


def test_a_thread_is_renamed_archived_brought_back_and_deleted(bob: User) -> None:
    say(bob, "t1", "hello")
    caller, agent = Caller(bob), {"agentId": "talk-echo"}
    renamed = caller.say("PATCH", "/copilotkit/threads/t1", agent | {"name": "Ours"}).json()
    assert (renamed["id"], renamed["name"], renamed["agentId"]) == ("t1", "Ours", "talk-echo")
    assert caller.say("POST", "/copilotkit/threads/t1/archive", agent).json() == {"threadId": "t1", "archived": True}
    assert caller.get("/copilotkit/threads").json()["threads"] == []
    (archived,) = caller.get("/copilotkit/threads?includeArchived=true").json()["threads"]
    assert archived["archived"] is True
    assert caller.say("PATCH", "/copilotkit/threads/t1", agent | {"archived": False}).json()["archived"] is False
    assert caller.say("DELETE", "/copilotkit/threads/t1", agent).json() == {"threadId": "t1", "deleted": True}
    assert not Thread.objects.exists()


def test_stop_cancels_the_run_under_way(bob: User) -> None:
    run = say(bob, "t1", "hello", run_id="r1").run
    assert run is not None
    # Its client sends the JSON type with nothing in it when it knows no run.
    told = Caller(bob).say("POST", STOP).json()
    assert told == {
        "stopped": True, "interrupt": {"type": "RUN_ERROR", "message": "Run stopped by user", "code": "STOPPED"},
    }  # fmt: skip
    assert Run.objects.get(id=run.id).status == "cancelled"
    assert Caller(bob).say("POST", STOP).json()["stopped"] is False


def test_stop_of_one_run_leaves_another(bob: User) -> None:
    run = say(bob, "t1", "hello", run_id="r1").run
    assert run is not None
    assert Caller(bob).say("POST", STOP, {"runId": "r0"}).json()["stopped"] is False
    assert Run.objects.get(id=run.id).status == "queued"
    assert Caller(bob).say("POST", STOP, {"runId": "r1"}).json()["stopped"] is True


@pytest.mark.parametrize("body", [{"runId": 1}, {"runId": " "}, [], "{"])
def test_a_stop_that_does_not_fit_stops_nothing(bob: User, body: Any) -> None:
    run = say(bob, "t1", "hello").run
    assert run is not None
    assert _code(Caller(bob).say("POST", STOP, body)) == (400, "INVALID_INPUT")
    assert Run.objects.get(id=run.id).status == "queued"


def test_everything_is_reached_on_one_address_too(bob: User) -> None:
    say(bob, "t1", "hello")
    caller = Caller(bob)
    for path in ("/copilotkit", "/copilotkit/"):
        assert _single(caller, "info", path=path).json() == caller.get("/copilotkit/info").json()
    listed = _single(caller, "resource/request", {"path": "/threads?agentId=talk-echo", "httpMethod": "GET"})
    assert listed.json() == caller.get("/copilotkit/threads?agentId=talk-echo").json()
    change = {"path": "/threads/t1", "httpMethod": "PATCH"}
    assert _single(caller, "resource/request", change, {"name": "Ours"}).json()["name"] == "Ours"
    stop = {"agentId": "talk-echo", "threadId": "t1"}
    assert _single(caller, "agent/stop", stop, {"runId": "r0"}).json()["stopped"] is False
    assert _single(caller, "agent/stop", stop).json()["stopped"] is True


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        {"method": "agent/suggest"},
        {"method": ["info"]},
        {"method": "agent/stop", "params": {"agentId": "talk-echo"}},
        {"method": "agent/stop", "params": "all"},
        {"method": "resource/request", "params": {"path": "/agent/talk-echo/stop/t1", "httpMethod": "POST"}},
        {"method": "resource/request", "params": {"path": "//evil.example/threads", "httpMethod": "GET"}},
        {"method": "resource/request", "params": {"path": "http://evil.example/threads", "httpMethod": "GET"}},
        {"method": "resource/request", "params": {"path": "http://[::1/threads", "httpMethod": "GET"}},
        {"method": "resource/request", "params": {"path": "/threads/../info", "httpMethod": "GET"}},
        {"method": "resource/request", "params": {"path": "/threads/t1/a/b", "httpMethod": "GET"}},
    ],
)
def test_an_envelope_that_does_not_fit_is_refused(bob: User, envelope: dict[str, Any]) -> None:
    run = say(bob, "t1", "hello").run
    assert run is not None
    assert _code(Caller(bob).say("POST", "/copilotkit", envelope)) == (400, "INVALID_INPUT")
    assert Run.objects.get(id=run.id).status == "queued"


def test_methods_are_refused_by_name(bob: User) -> None:
    caller = Caller(bob)
    assert _code(caller.get("/copilotkit")) == (405, "METHOD_NOT_ALLOWED")
    assert _code(caller.say("POST", "/copilotkit/info", {})) == (405, "METHOD_NOT_ALLOWED")
    inner = {"path": "/threads", "httpMethod": "DELETE"}
    assert _code(_single(caller, "resource/request", inner)) == (405, "METHOD_NOT_ALLOWED")


DOORS = [
    ("GET", "threads/t1/messages", None), ("GET", "threads/t1/state", None), ("GET", "threads/t1/events", None),
    ("PATCH", "threads/t1", {"name": "mine"}), ("POST", "threads/t1/archive", {}), ("DELETE", "threads/t1", {}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), DOORS)
def test_a_stranger_meets_no_thread(bob: User, stranger: User, method: str, path: str, body: Any) -> None:
    say(bob, "t1", "hello")
    told = Caller(stranger).say(method, f"/copilotkit/{path}", body)
    assert _code(told) == (404, "THREAD_NOT_FOUND")
    assert Thread.objects.get().title == "hello"


def test_a_stranger_stops_nothing_and_is_told_the_same_as_of_no_thread(bob: User, stranger: User) -> None:
    run = say(bob, "t1", "hello", run_id="r1").run
    assert run is not None
    caller = Caller(stranger)
    told = [caller.say("POST", STOP.replace("t1", name), {"runId": "r1"}).json() for name in ("t1", "t9")]
    assert [one["stopped"] for one in told] == [False, False]
    assert told[0]["message"].replace("t1", "") == told[1]["message"].replace("t9", "")
    assert Run.objects.get(id=run.id).status == "queued"


def test_a_member_of_the_team_stops_its_runs(bob: User, team: Group) -> None:
    carol = User.objects.create_user("carol")
    for one in (bob, carol):
        one.groups.add(team)
    say(bob, "t1", "hello", team=team.name)
    assert Caller(carol).say("POST", STOP).json()["stopped"] is True


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "info", None), ("GET", "threads", None), ("POST", "agent/talk-echo/stop/t1", {}),
     ("POST", "agent/talk-echo/run", {}), ("POST", "agent/talk-echo/connect", {}), ("POST", "", {"method": "info"}),
     *DOORS],
)  # fmt: skip
def test_the_anonymous_are_refused_everywhere(bob: User, method: str, path: str, body: Any) -> None:
    run = say(bob, "t1", "hello").run
    assert run is not None
    for headers in ({}, {"authorization": "Bearer wrong"}):
        assert _code(Caller().say(method, f"/copilotkit/{path}", body, **headers)) == (401, "UNAUTHORIZED")
    assert Run.objects.get(id=run.id).status == "queued"


def test_a_session_needs_its_csrf_token_to_change_things(bob: User) -> None:
    say(bob, "t1", "hello")
    browser, proof = in_browser(bob)
    assert browser.get("/copilotkit/info").status_code == 200
    for path, body in ((STOP, {}), ("/copilotkit/agent/talk-echo/run", {}), ("/copilotkit", {"method": "info"})):
        assert _code(browser.say("POST", path, body)) == (403, "CSRF_FAILED")
    assert _code(browser.say("DELETE", "/copilotkit/threads/t1", {})) == (403, "CSRF_FAILED")
    assert browser.say("POST", STOP, {}, **proof).json()["stopped"] is True


def test_an_unknown_agent_is_refused(bob: User) -> None:
    for door in ("run", "connect", "stop/t1"):
        answer = Caller(bob).say(
            "POST", f"/copilotkit/agent/nobody/{door}", {"threadId": "t1", "runId": "r1"} if "/" not in door else {}
        )
        assert _code(answer) == (404, "AGENT_NOT_FOUND")
