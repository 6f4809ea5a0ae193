"""`/ws/inbox/`: what waits for one person, live, and nothing that waits for others."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group

from hitl import answers, asking
from hitl.asking import Draft, open_question
from hitl.live import inbox, routing
from hitl.live.inbox import INBOX
from hitl.models import Question
from perdure.accounts.models import ApiToken
from perdure.asgi import application
from runs import clock, jobs
from runs.live import feed
from tests.hitl import jobs as asking_jobs  # noqa: F401  (registers them)
from tests.live.people import Person, amake_person
from tests.live.sockets import HOST, Socket

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "/ws/inbox/"


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks come so often that a test need not wait for them."""
    monkeypatch.setattr(routing, "INBOX", replace(INBOX, pause_seconds=0.05, idle_seconds=0.5))


@pytest.fixture
async def alice() -> Person:
    return await amake_person("alice", await Group.objects.acreate(name="team"))


@pytest.fixture
async def stranger() -> Person:
    return await amake_person("stranger", await Group.objects.acreate(name="others"))


def put_now(**draft: Any) -> Question:
    run = jobs.start("ask-approval", {}, team=Group.objects.get(name="team")).run
    made = open_question(run.id, "ok?", Draft(**({"title": "ok?", "kind": "approval"} | draft)))
    return Question.objects.get(id=made)


put = sync_to_async(put_now)
answer = sync_to_async(answers.answer)


async def of_type(socket: Socket, type_: str) -> dict[str, Any]:
    """The next message of that type."""
    while (message := await socket.message())["type"] != type_:
        pass
    return message


async def test_it_begins_with_what_waits_and_goes_on_with_what_changes(connect: Any, alice: Person) -> None:
    first = await put(deadline=clock.now() + timedelta(hours=1))
    socket = await connect(ADDRESS, alice)
    snapshot = await socket.message()
    assert (snapshot["type"], snapshot["count"]) == ("snapshot", 1)
    assert snapshot["questions"] == [
        {
            "id": str(first.id), "run": str(first.run_id), "job": "ask-approval", "kind": "approval", "title": "ok?",
            "quorum": 1, "deadline": first.deadline.isoformat().replace("+00:00", "Z"), "reminded_at": None,
            "escalated_at": None, "digest": first.digest,
            "created_at": first.created_at.isoformat().replace("+00:00", "Z"),
        }
    ]  # fmt: skip
    second = await put(title="another?")
    assert (await of_type(socket, "question"))["question"]["id"] == str(second.id)
    assert (await socket.message()) == {"type": "count", "count": 2}
    await sync_to_async(asking.revise)(second.id, title="changed?")
    assert (await of_type(socket, "question"))["question"]["title"] == "changed?"
    await answer(first.id, alice.user, "approve", digest=first.digest)
    assert await of_type(socket, "delete") == {"type": "delete", "id": str(first.id)}
    assert (await socket.message()) == {"type": "count", "count": 1}
    await sync_to_async(jobs.cancel)(second.run_id)
    assert await of_type(socket, "delete") == {"type": "delete", "id": str(second.id)}
    assert (await socket.message())["count"] == 0


async def test_the_stranger_and_who_was_not_asked_hear_nothing(connect: Any, alice: Person, stranger: Person) -> None:
    bob = await amake_person("bob", await Group.objects.aget(name="team"))
    await put(to=("alice",))
    sockets = [await connect(ADDRESS, person) for person in (stranger, bob)]
    for socket in sockets:
        assert await socket.message() == {"type": "snapshot", "count": 0, "questions": []}
    question = await put(to=("alice",))
    sees = await connect(ADDRESS, alice)
    assert (await sees.message())["count"] == 2
    await answer(question.id, alice.user, "deny", digest=question.digest)
    await of_type(sees, "delete")
    await sync_to_async(answers.delegate)(await first_of(alice), alice.user, "stranger")
    assert (await sockets[0].message())["type"] == "question"  # it is theirs now: the first that they hear
    assert await sockets[1].receive_nothing(timeout=0.1)


@sync_to_async
def first_of(person: Person) -> UUID:
    return Question.objects.filter(status="open", people=person.user).get().id


async def test_the_anonymous_a_bad_token_and_another_site_are_refused(connect: Any, alice: Person) -> None:
    socket = await connect(ADDRESS)
    await socket.send_json_to({"type": "ping"})
    assert await socket.closed() == (4401, "not_authenticated")
    assert await (await connect(ADDRESS, token="nonsense")).closed() == (4401, "token_invalid")
    headers = [HOST, (b"cookie", f"sessionid={alice.session_key}".encode()), (b"origin", b"https://evil.example")]
    accepted, _ = await Socket(application, ADDRESS, headers=headers).connect(timeout=60)
    assert not accepted


async def test_it_ends_with_the_token_and_forgets_a_lost_group(connect: Any, alice: Person) -> None:
    await put()
    by_session, by_token = await connect(ADDRESS, alice), await connect(ADDRESS, token=alice.token)
    for socket in (by_session, by_token):
        assert (await socket.message())["count"] == 1
    await ApiToken.objects.aupdate(revoked_at=clock.now())
    await sync_to_async(alice.user.groups.clear)()
    await put()
    assert await by_token.closed() == (4401, "token_invalid")
    assert (await of_type(by_session, "count"))["count"] == 0


async def test_the_count_goes_beyond_the_rows(connect: Any, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "ROWS", 2)
    late, early = await put(), await put(deadline=clock.now() + timedelta(hours=1))
    await put(deadline=clock.now() + timedelta(hours=2))
    socket = await connect(ADDRESS, alice)
    snapshot = await socket.message()
    assert snapshot["count"] == 3
    assert snapshot["questions"][0]["id"] == str(early.id)
    await answer(early.id, alice.user, "approve", digest=early.digest)
    assert await of_type(socket, "delete") == {"type": "delete", "id": str(early.id)}
    assert (await of_type(socket, "question"))["question"]["id"] == str(late.id)


async def test_rows_that_changed_lately_are_told_again(
    connect: Any, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "AGAIN_SECONDS", 0.3)
    socket = await connect(ADDRESS, alice)
    await socket.message()
    await put()
    first = await of_type(socket, "question")
    await put(title="rings the bell")
    assert first in [await of_type(socket, "question") for _ in range(3)]
