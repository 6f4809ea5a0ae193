"""Each door of AG-UI: for the anonymous, the stranger, the member; bodies that no door takes; sessions and CSRF."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User

from perdure.agui.models import Thread
from runs.models import Run
from runs.testing import drain
from tests.agui.asking import asked, body, post
from tests.agui.callers import Caller, in_browser

pytestmark = pytest.mark.usefixtures("transactional_db")
DOORS = [
    ("POST", "/ag-ui/run"),
    ("POST", "/ag-ui/message"),
    ("DELETE", "/ag-ui/run/r1"),
    ("GET", "/ag-ui/run?threadId=t1"),
    ("GET", "/ag-ui/run?offset=-1&runId=r1"),
    ("GET", "/ag-ui/stream/r1"),
    ("GET", "/ag-ui/state/r1"),
    ("GET", "/ag-ui/sessions/by-thread/t1"),
    ("GET", "/ag-ui/capabilities"),
]
OF_A_RUN = [door for door in DOORS if door[1] not in ("/ag-ui/capabilities", "/ag-ui/sessions/by-thread/t1")]
NOT_FOUND = {"RUN_NOT_FOUND", "THREAD_NOT_FOUND"}


def error(response: Any) -> tuple[int, str]:
    told = response.json()["error"]
    assert set(told) <= {"code", "message", "details"}
    return response.status_code, told["code"]


def sent(path: str) -> Any:
    if path == "/ag-ui/message":
        return {"runId": "r1", "toolCallResults": [{"toolCallId": "c1", "result": "x"}]}
    return body("hello", run="r2") if path == "/ag-ui/run" else None


def untouched() -> bool:
    return (Thread.objects.count(), Run.objects.count(), Run.objects.get().status) == (1, 1, "waiting")


def test_the_anonymous_and_whoever_has_a_false_token_stay_outside(bob: User) -> None:
    asked(bob, "approval")
    for method, path in DOORS:
        for headers in ({}, {"authorization": "Bearer pdr_false_token"}, {"authorization": "Bearer "}):
            response = Caller().say(method, path, sent(path), **headers)
            assert (path, *error(response)) == (path, 401, "UNAUTHORIZED")
            assert response["WWW-Authenticate"] == "Bearer"
    assert untouched()


def test_a_stranger_meets_nothing(bob: User, stranger: User) -> None:
    asked(bob, "approval")
    caller = Caller(stranger)
    for method, path in OF_A_RUN:
        status, code = error(caller.say(method, path, sent(path)))
        assert (path, status, code in NOT_FOUND) == (path, 404, True)
    assert untouched()


def test_a_stranger_sees_no_session(bob: User, stranger: User) -> None:
    asked(bob, "approval")
    path = "/ag-ui/sessions/by-thread/t1"
    assert Caller(stranger).say("GET", path).json() is None
    assert Caller(bob).say("GET", path).json()["state"] == "paused"


def test_a_colleague_of_the_threads_team_sees_it_and_stops_it(bob: User, team: Any) -> None:
    ann = User.objects.create_user("ann")
    team.user_set.add(ann, bob)
    asked(bob, "approval", team="night shift")
    assert Caller(ann).say("GET", "/ag-ui/state/r1").json()["status"] == "waiting"
    assert Caller(ann).say("DELETE", "/ag-ui/run/r1").json() == {"status": "cancelled", "runId": "r1"}
    assert Run.objects.get().status == "cancelled"


def test_a_session_needs_its_csrf_token(bob: User) -> None:
    asked(bob, "approval")
    browser, headers = in_browser(bob)
    for method, path in DOORS:
        if method != "GET":
            assert (path, *error(browser.say(method, path, sent(path)))) == (path, 403, "CSRF_FAILED")
    assert untouched()
    assert browser.say("DELETE", "/ag-ui/run/r1", **headers).status_code == 200


def test_a_session_reads_without_one(bob: User) -> None:
    asked(bob, "approval")
    browser, _ = in_browser(bob)
    assert browser.say("GET", "/ag-ui/state/r1").status_code == 200


@pytest.mark.parametrize("path", ["/ag-ui/run", "/ag-ui/message"])
@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "text/plain;application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
)
def test_only_json_is_taken(bob: User, path: str, kind: str) -> None:
    """A form, or text, is what a browser sends to another site without asking it."""
    response = Caller(bob).generic("POST", path, data=json.dumps(body("hello")), content_type=kind)
    assert error(response) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert not Run.objects.exists()


BROKEN = [
    "{}",
    "{",
    "[]",
    "null",
    '"text"',
    '{"threadId": "a", "threadId": "b"}',
    '{"state": NaN, "messages": []}',
    '{"state": "\\u0000", "messages": []}',
    '{"state": "\\ud800", "messages": []}',
    '{"state": ' + "[" * 5000 + "]" * 5000 + "}",
    '{"state": ' + '{"a":' * 500 + "1" + "}" * 501,
]


@pytest.mark.parametrize("path", ["/ag-ui/run", "/ag-ui/message"])
def test_bodies_that_nobody_should_send(bob: User, path: str) -> None:
    caller = Caller(bob)
    for raw in BROKEN:
        assert (raw[:40], *error(caller.say("POST", path, raw))) == (raw[:40], 400, "INVALID_INPUT")
    huge = '{"state": "' + "x" * 10_000_000 + '"}'
    assert error(caller.say("POST", path, huge)) == (413, "INPUT_TOO_LARGE")
    assert not Run.objects.exists()
    assert not Thread.objects.exists()


UNFIT: list[tuple[dict[str, Any], str]] = [
    ({"threadId": 7}, "threadId"),
    ({"threadId": "x" * 257}, "threadId"),
    ({"threadId": "a/b"}, "threadId"),
    ({"threadId": "a\nb"}, "threadId"),
    ({"runId": "ü"}, "runId"),
    ({"runId": ["r"]}, "runId"),
    ({"parentRunId": "x" * 257}, "parentRunId"),
    ({"messages": "hello"}, "messages"),
    ({"messages": [{"role": "user", "content": "no id"}]}, "messages.0.user.id"),
    ({"messages": [{"id": "x" * 257, "role": "user", "content": "a"}]}, "messages.0.id"),
    ({"messages": [{"id": "1", "role": "wizard", "content": "a"}]}, "messages.0"),
    ({"messages": [{"id": "1", "role": "user", "content": "a"}] * 2}, "messages.1.id"),
    ({"tools": [{"name": "a"}]}, "tools.0.description"),
    ({"context": [{"value": "a"}]}, "context.0.description"),
    ({"context": [{"type": "workflow_definition", "data": {}}]}, "context.0.workflow_name"),
    ({"context": [{"type": "workflow_inline", "data": {"workflow": 7}}]}, "context.0.workflow"),
    ({"context": [{"type": "workflow_inline", "workflow": {"a": 1}}] * 2}, "context"),
    ({"context": [{"type": "checkpoint_resume", "data": {}}]}, "context.0"),
    ({"forwardedProps": "x"}, "forwardedProps"),
    ({"forwardedProps": {"job": 7}}, "forwardedProps.job"),
    ({"forwardedProps": {"team": {"a": 1}}}, "forwardedProps.team"),
    ({"resume": [{"interruptId": "x"}]}, "resume.0.status"),
    ({"resume": [{"interruptId": "x", "status": "accepted"}]}, "resume.0.status"),
]


def test_a_member_that_does_not_fit_is_named(bob: User) -> None:
    caller = Caller(bob)
    for member, field in UNFIT:
        response = caller.say("POST", "/ag-ui/run", body("hello") | member)
        assert (field, *error(response)) == (field, 400, "INVALID_INPUT")
        assert response.json()["error"]["details"]["fields"][0]["field"] == field
    assert not Thread.objects.exists()


def test_a_wrong_method_is_told_the_right_ones(bob: User) -> None:
    caller = Caller(bob)
    for method, path, allowed in (
        ("PUT", "/ag-ui/run", "POST, GET, HEAD"),
        ("GET", "/ag-ui/run/r1", "DELETE"),
        ("GET", "/ag-ui/message", "POST"),
        ("POST", "/ag-ui/state/r1", "GET"),
        ("DELETE", "/ag-ui/capabilities", "GET"),
    ):
        response = caller.say(method, path)
        assert (path, *error(response)) == (path, 405, "METHOD_NOT_ALLOWED")
        assert response["Allow"] == allowed


def test_a_run_that_ended_is_not_cancelled_and_one_that_was_is_so_twice(bob: User) -> None:
    post(bob, body("hello"))
    drain()
    caller = Caller(bob)
    assert error(caller.say("DELETE", "/ag-ui/run/r1")) == (409, "INVALID_SESSION_STATE")
    post(bob, body("more", run="r2"))
    assert [caller.say("DELETE", "/ag-ui/run/r2").status_code for _ in range(2)] == [200, 200]
    assert error(caller.say("DELETE", "/ag-ui/run/r3")) == (404, "RUN_NOT_FOUND")


def test_a_reloaded_page_finds_what_its_thread_waits_for(bob: User) -> None:
    caller = Caller(bob)
    assert caller.say("GET", "/ag-ui/sessions/by-thread/t1").json() is None
    (interrupt,) = asked(bob, "approval")
    found = caller.say("GET", "/ag-ui/sessions/by-thread/t1").json()
    assert (found["runId"], found["threadId"], found["state"]) == ("r1", "t1", "paused")
    assert found["hitlInfo"]["interruptId"] == interrupt.id
    assert found["hitlInfo"]["interrupts"][0]["responseSchema"]["required"] == ["approved"]
    assert error(caller.say("GET", "/ag-ui/sessions/by-thread/" + "x" * 257)) == (400, "INVALID_INPUT")


def test_the_state_of_a_run_names_its_tasks(bob: User) -> None:
    post(bob, body("hello"))
    drain()
    found = Caller(bob).say("GET", "/ag-ui/state/r1").json()
    assert (found["workflowName"], found["status"], found["input"]) == ("talk-echo", "completed", "hello")
    assert found["completedTasks"] == [{"name": "answer", "status": "completed", "output": "You said: hello"}]


def test_capabilities_list_what_is_exposed_and_nothing_else(bob: User) -> None:
    caller = Caller(bob)
    found = caller.say("GET", "/ag-ui/capabilities").json()
    assert {"talk-echo", "summarise"} <= set(found["agents"])
    assert "talk-hidden" not in found["agents"]
    one = caller.say("GET", "/ag-ui/capabilities?agent=talk-conversation").json()
    assert (one["identity"]["name"], one["transport"]["resumable"]) == ("talk-conversation", True)
    assert one["tools"]["clientProvided"]
    assert error(caller.say("GET", "/ag-ui/capabilities?agent=talk-hidden")) == (404, "AGENT_NOT_FOUND")


def test_addresses_work_with_and_without_the_last_slash(bob: User) -> None:
    asked(bob, "approval")
    caller = Caller(bob)
    for path in ("/ag-ui/threads", "/ag-ui/threads/t1", "/ag-ui/state/r1", "/ag-ui/sessions/by-thread/t1"):
        assert [caller.say("GET", path + slash).status_code for slash in ("", "/")] == [200, 200]
