"""Mails about questions, through a real mail server: who gets them, what they say, and that they decide nothing."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.db import transaction
from django.test import Client

from hitl import answers, asking
from hitl.asking import Draft, open_question, revise
from hitl.models import Answer, Delivery, Question
from hitl.notify.deliver import deliver_mails
from runs import jobs
from runs.testing import advance, drain
from tests.hitl.conftest import Asks, Put, finished, person
from tests.hitl.listeners import MailServer, mail_server


@pytest.fixture
def post(settings: Any) -> Iterator[MailServer]:
    """The mail server in force."""
    settings.HITL_BASE_URL = "https://perdure.example"
    with mail_server() as server:
        for name, value in server.settings().items():
            setattr(settings, name, value)
        yield server


@pytest.fixture(autouse=True)
def addresses(alice: User, starter: User, mallory: User) -> None:
    for user in (alice, starter, mallory):
        with_address(user)


def with_address(user: User) -> User:
    user.email = f"{user.username.replace(' ', '.')}@example.org"
    user.save()
    return user


def about() -> list[str]:
    return list(Delivery.objects.order_by("id").values_list("about", flat=True))


def test_who_may_answer_and_has_an_address_is_mailed(post: MailServer, put: Put, bob: User) -> None:
    gone = with_address(person("gone", *bob.groups.all()))
    gone.is_active = False
    gone.save()
    question = put(body="secret words")
    assert deliver_mails() == 1  # not the starter, nor bob without an address, nor who may not sign in, nor a stranger
    message = post.messages[0]
    assert (message["To"], post.recipients) == ("alice@example.org", ["alice@example.org"])
    assert message["Subject"] == "Question: ok?"
    assert message["Message-ID"] == f"<{Delivery.objects.get().pk}@perdure.example>"
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    for part in (text.get_content(), html.get_content()):
        assert f"https://perdure.example/questions/{question.id}/" in part
        assert "ask-approval, started by sara" in part
        assert "secret words" not in part  # what is decided is read behind the sign-in
    assert (deliver_mails(), Delivery.objects.get().status) == (0, "sent")


def test_the_link_needs_a_sign_in_and_decides_nothing(post: MailServer, put: Put, alice: User) -> None:
    question = put()
    deliver_mails()
    path = f"/questions/{question.id}/"
    anonymous, client = Client(), Client()
    assert anonymous.get(path)["Location"] == f"/sign-in/?next={path}"
    client.force_login(alice)
    for query in ("", "?decision=approve", "?answer=approve&digest=" + question.digest):
        assert client.get(path + query).status_code == 200
    assert not Answer.objects.exists()


def test_nothing_in_a_title_becomes_a_header_or_a_tag(post: MailServer, put: Put) -> None:
    put(title="a\r\nBcc: evil@example.org\r\n\r\n<script>x</script>")
    deliver_mails()
    message = post.messages[0]
    assert message["Bcc"] is None
    assert post.recipients == ["alice@example.org"]
    assert message["Subject"] == "Question: a Bcc: evil@example.org <script>x</script>"
    html = message.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()


def test_the_whole_team_is_meant_when_nobody_is_named_and_administrators_without_a_team(
    post: MailServer, put: Put, root: User, starter: User
) -> None:
    with_address(root)
    put()
    run = jobs.start("ask-approval", {}, owner=starter).run
    open_question(run.id, "ok?", Draft(title="ok?", kind="approval"))
    deliver_mails()
    assert post.to() == ["alice@example.org", "root@example.org"]


def test_reminders_and_escalations_reach_those_who_still_wait(
    post: MailServer, asks: Asks, alice: User, bob: User
) -> None:
    with_address(bob)
    with_address(person("deputy", Group.objects.create(name="on call")))
    times = {"remind_every": 10, "escalate_after": 15, "escalate_to": ["group:on call"], "to": ["alice", "bob"]}
    question = asks("ask-with-timers", times)
    deliver_mails()
    assert post.to() == ["alice@example.org", "bob@example.org"]
    post.messages.clear()
    for _ in range(2):
        advance(timedelta(hours=8))
        drain()
        deliver_mails()
    subjects = sorted((message["To"], message["Subject"]) for message in post.messages)
    assert subjects == [
        ("alice@example.org", "Reminder: who will?"),
        ("bob@example.org", "Reminder: who will?"),
        ("deputy@example.org", "Escalated: who will?"),
    ]
    post.messages.clear()
    answers.answer(question.id, alice, "approve", digest=question.digest)
    deliver_mails()
    assert post.to() == ["bob@example.org", "deputy@example.org"]  # alice knows
    assert {message["Subject"] for message in post.messages} == {"Answered: who will?"}
    assert finished(question).status == "completed"


def test_who_has_answered_is_not_reminded(post: MailServer, put: Put, alice: User, bob: User) -> None:
    with_address(bob)
    question = put(quorum=2)
    answers.answer(question.id, alice, "approve", digest=question.digest)
    deliver_mails()
    assert post.to() == ["bob@example.org"]
    assert "answered" in Delivery.objects.get(status="dropped").error
    revise(question.id, body="other words")
    deliver_mails()
    subjects = sorted((message["To"], message["Subject"]) for message in post.messages[1:])
    assert subjects == [
        ("alice@example.org", "Changed question: ok?"),
        ("bob@example.org", "Changed question: ok?"),
    ]


def test_a_delegate_is_told_by_whom(post: MailServer, put: Put, alice: User) -> None:
    question = put(to=("alice",))
    answers.delegate(question.id, alice, "mallory")
    deliver_mails()
    assert [(message["To"], message["Subject"]) for message in post.messages] == [
        ("mallory@example.org", "alice asks you to answer: ok?")
    ]


@pytest.mark.parametrize("end", ["withdrawn", "cancelled", "left", "moved", "past its deadline"])
def test_what_is_no_longer_true_is_not_mailed(post: MailServer, put: Put, alice: User, end: str) -> None:
    question = put(deadline=asking.clock.now() + timedelta(hours=1))
    if end == "withdrawn":
        asking.withdraw(question.id)
    elif end == "cancelled":
        jobs.cancel(question.run_id)
    elif end == "left":
        alice.groups.clear()
    elif end == "moved":
        User.objects.filter(pk=alice.pk).update(email="")
    else:
        advance(timedelta(hours=2))
    deliver_mails()
    assert post.messages == []
    assert set(Delivery.objects.values_list("status", flat=True)) == {"dropped"}


def test_a_withdrawal_is_told_with_its_reason(post: MailServer, put: Put) -> None:
    question = put()
    deliver_mails()
    asking.withdraw(question.id, reason="not needed")
    deliver_mails()
    text = post.messages[1].get_body(("plain",))
    assert post.messages[1]["Subject"] == "Withdrawn: ok?"
    assert text is not None
    assert "not needed" in text.get_content()


MAILS = "/settings/notifications/"


def test_who_wants_no_mails_gets_none(post: MailServer, put: Put, alice: User) -> None:
    client = Client()
    assert client.post(MAILS, {"wanted": "no"})["Location"].startswith("/sign-in/")
    client.force_login(alice)
    assert "Stop mails" in client.get(MAILS).content.decode()
    before = put()
    client.post(MAILS, {"wanted": "no"})
    assert "Send mails" in client.get(MAILS).content.decode()
    after = put()
    deliver_mails()
    assert post.messages == []
    assert (before.deliveries.get().status, after.deliveries.count()) == ("dropped", 0)
    client.post(MAILS, {"wanted": "yes"})
    put()
    deliver_mails()
    assert post.to() == ["alice@example.org"]


def test_a_question_that_is_rolled_back_is_told_to_nobody(post: MailServer, starter: User) -> None:
    run = jobs.start("ask-approval", {}, owner=starter).run
    with transaction.atomic():
        open_question(run.id, "ok?", Draft(title="ok?", kind="approval", to=("alice",)))
        assert about() == ["asked"]
        transaction.set_rollback(True)
    assert about() == []


def test_without_a_mail_server_nothing_is_written(put: Put) -> None:
    put()
    assert (Delivery.objects.count(), deliver_mails(), mail.outbox) == (0, 0, [])
    assert Question.objects.count() == 1
