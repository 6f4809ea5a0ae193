"""The REST doors of questions, for the anonymous, the stranger, the wrong group, the starter and the member."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from hitl.asking import revise
from hitl.models import Answer, Question
from perdure.accounts.tokens import create_token
from runs import clock, jobs
from runs.models import Audit
from tests.api.client import ApiClient, error_of

DOORS = [("GET", ""), ("POST", "answer/"), ("POST", "delegate/"), ("POST", "comment/"), ("POST", "withdraw/")]
As = Callable[[User], ApiClient]


@pytest.fixture
def client_of() -> As:
    return lambda user: ApiClient(create_token(user, "tests"))


def test_a_question_is_shown_with_all_that_it_asks(put: Callable[..., Question], alice: User, client_of: As) -> None:
    until = clock.now() + timedelta(days=1)
    question = put(body="*Now*?", to=("alice", "group:night shift"), deadline=until, context={"diff": "+a"})
    shown = client_of(alice).get(f"/api/questions/{question.id}/").json()
    assert shown == {
        "id": str(question.id), "run": str(question.run_id), "step": "ok?", "kind": "approval", "title": "ok?",
        "body": "*Now*?", "schema": None, "choices": [], "context": {"diff": "+a"}, "status": "open",
        "to": ["alice", "group:night shift"], "quorum": 1, "starter_may_answer": False, "answers": [], "outcome": None,
        "digest": question.digest, "deadline": until.isoformat().replace("+00:00", "Z"),
        "reminded_at": None, "escalate_to": [], "escalate_at": None, "escalated_at": None,
        "created_at": question.created_at.isoformat().replace("+00:00", "Z"), "closed_at": None,
    }  # fmt: skip


def test_an_answer_is_taken_once(put: Callable[..., Question], alice: User, bob: User, client_of: As) -> None:
    question = put()
    path = f"/api/questions/{question.id}/answer/"
    body = {"decision": "approve", "comment": "fine", "digest": question.digest, "idempotency_key": "k"}
    first, again = (client_of(alice).send(path, body) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()) == (200, 200, again.json())
    assert (first.json()["status"], first.json()["outcome"]) == ("answered", {"decision": "approve", "value": None})
    assert [one["by"] for one in first.json()["answers"]] == ["alice"]
    late = error_of(client_of(bob).send(path, body | {"decision": "deny"}), 409, "question_closed")
    assert late["details"] == {"status": "answered", "by": ["alice"]}
    assert Answer.objects.count() == 1
    note = Audit.objects.get(action="question.answer")
    assert (note.actor_kind, note.address) == ("token", "127.0.0.1")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"digest": "0" * 64}, 409, "question_changed"),
        ({"decision": "submit"}, 400, "invalid_answer"),
        ({"decision": "maybe"}, 400, "invalid_request"),
        ({"value": 1}, 400, "invalid_answer"),
        ({"comment": 1}, 400, "invalid_request"),
        ({"by": "bob"}, 400, "invalid_request"),
    ],
)
def test_an_answer_that_does_not_fit_changes_nothing(
    put: Callable[..., Question], alice: User, client_of: As, change: dict[str, object], status: int, code: str
) -> None:
    question = put()
    body = {"decision": "approve", "digest": question.digest} | change
    error_of(client_of(alice).send(f"/api/questions/{question.id}/answer/", body), status, code)
    assert not Answer.objects.exists()


def test_what_was_replaced_is_not_decided(put: Callable[..., Question], alice: User, client_of: As) -> None:
    question = put()
    revised = revise(question.id, context={"diff": "+other"})
    body = {"decision": "approve", "digest": question.digest}
    error = error_of(client_of(alice).send(f"/api/questions/{question.id}/answer/", body), 409, "question_changed")
    assert error["details"] == {"digest": revised.digest}


def test_the_anonymous_and_the_stranger_learn_nothing(
    put: Callable[..., Question], mallory: User, client_of: As
) -> None:
    question = put()
    stranger, anonymous = client_of(mallory), ApiClient(None)
    for method, door in DOORS:
        path = f"/api/questions/{question.id}/{door}"
        error_of(anonymous.generic(method, path), 401, "not_authenticated")
        error_of(stranger.generic(method, path), 404, "question_not_found")
        error_of(stranger.generic(method, f"/api/questions/{uuid4()}/{door}"), 404, "question_not_found")
        error_of(stranger.generic(method, f"/api/questions/{question.id.hex}/{door}"), 404, "question_not_found")
    error_of(anonymous.get("/api/questions/"), 401, "not_authenticated")
    assert stranger.get("/api/questions/").json()["results"] == []
    assert (Answer.objects.count(), Question.objects.get().comments.count()) == (0, 0)


def test_who_sees_it_but_may_not_answer_is_told_so(
    put: Callable[..., Question], starter: User, bob: User, alice: User, client_of: As
) -> None:
    question = put(to=("alice",))
    body = {"decision": "approve", "digest": question.digest}
    for user in (starter, bob):
        error_of(client_of(user).send(f"/api/questions/{question.id}/answer/", body), 403, "may_not_answer")
        error_of(client_of(user).send(f"/api/questions/{question.id}/delegate/", {"to": "bob"}), 403, "may_not_answer")
    assert not Answer.objects.exists()


def test_the_list_tells_mine_and_filters(
    put: Callable[..., Question], starter: User, alice: User, bob: User, client_of: As
) -> None:
    mine, others, gone = put(to=("alice",)), put(to=("bob",)), put()
    jobs.cancel(gone.run_id)

    def listed(user: User, query: str = "") -> set[str]:
        return {one["id"] for one in client_of(user).get(f"/api/questions/{query}").json()["results"]}

    assert listed(alice) == {str(mine.id), str(others.id), str(gone.id)}
    assert listed(alice, "?mine=true") == {str(mine.id)}
    assert listed(starter, "?mine=true") == set()
    assert listed(alice, "?status=withdrawn") == {str(gone.id)}
    assert listed(alice, "?status=open&status=answered") == {str(mine.id), str(others.id)}
    assert listed(alice, f"?run={others.run_id}") == {str(others.id)}
    for query in ("?mine=1", "?status=new", "?run=1", "?x=1", "?cursor=x"):
        error_of(client_of(alice).get(f"/api/questions/{query}"), 400, "invalid_request")


def test_a_delegate_and_a_comment(put: Callable[..., Question], alice: User, mallory: User, client_of: As) -> None:
    question = put(to=("alice",))
    path = f"/api/questions/{question.id}/"
    said = client_of(alice).send(f"{path}comment/", {"text": "Whose is it?"})
    assert (said.status_code, said.json()["by"], said.json()["text"]) == (201, "alice", "Whose is it?")
    error_of(client_of(alice).send(f"{path}comment/", {"text": " "}), 400, "invalid_answer")
    error_of(client_of(alice).send(f"{path}delegate/", {"to": "nobody"}), 400, "invalid_answer")
    assert client_of(alice).send(f"{path}delegate/", {"to": "mallory"}).json()["to"] == ["mallory"]
    body = {"decision": "deny", "digest": question.digest}
    assert client_of(mallory).send(f"{path}answer/", body).json()["status"] == "answered"
