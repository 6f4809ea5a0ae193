"""A mail server that is down delays no run; what it was to get is tried again and never lost silently."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from hitl import answers
from hitl.models import Delivery
from hitl.notify import deliver
from hitl.notify.deliver import MAX_ATTEMPTS, deliver_mails
from runs import clock
from runs.maintenance.chores import all_chores
from runs.testing import advance
from tests.e2e.survival import free_port
from tests.hitl.conftest import Asks, Put, finished
from tests.hitl.listeners import MailServer, mail_server


@pytest.fixture(autouse=True)
def _no_server(settings: Any, alice: User) -> None:
    alice.email = "alice@example.org"
    alice.save()
    for name, value in MailServer(port=free_port()).settings().items():
        setattr(settings, name, value)


def test_a_mail_server_that_is_down_delays_no_run_and_gets_its_mail_later(
    settings: Any, asks: Asks, alice: User
) -> None:
    question = asks()
    assert deliver_mails() == 1
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts) == ("pending", 1)
    assert "refused" in delivery.error.lower()
    assert deliver_mails() == 0  # not at once
    with mail_server(settings.EMAIL_PORT) as post:
        advance(timedelta(seconds=11))
        assert deliver_mails() == 1
        assert [message["Message-ID"] for message in post.messages] == [f"<{delivery.pk}@localhost>"]
    answers.answer(question.id, alice, "approve", digest=question.digest)
    assert finished(question).status == "completed"


def test_one_address_that_is_refused_holds_up_no_other(settings: Any, put: Put, bob: User) -> None:
    bob.email = "bob@example.org"
    bob.save()
    with mail_server() as post:
        settings.EMAIL_PORT = post.port
        post.refuses.add("alice@example.org")
        put()
        deliver_mails()
        assert post.to() == ["bob@example.org"]
    assert "550" in Delivery.objects.get(status="pending").error


def test_attempts_come_later_each_time_and_end_in_a_failure_that_is_seen(
    put: Put, root: User, caplog: pytest.LogCaptureFixture
) -> None:
    put()
    waits = []
    for _ in range(MAX_ATTEMPTS):
        delivery = Delivery.objects.get()
        advance(delivery.due_at - clock.now() + timedelta(seconds=1))
        assert deliver_mails() == 1
        waits.append((Delivery.objects.get().due_at - clock.now()).total_seconds())
    assert waits[:3] == [pytest.approx(seconds, abs=1) for seconds in (10, 20, 40)]
    assert max(waits) == pytest.approx(3600, abs=1)
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts) == ("failed", MAX_ATTEMPTS)
    assert "is given up" in next(record.message for record in caplog.records if record.levelno == logging.ERROR)
    client = Client()
    client.force_login(root)
    page = client.get("/admin/hitl/delivery/").content.decode()
    assert "refused" in page.lower()
    assert client.get(f"/admin/hitl/delivery/{delivery.pk}/change/").status_code == 200
    chosen = {"action": "send_again", "_selected_action": [str(delivery.pk)]}
    assert "1 are due again" in client.post("/admin/hitl/delivery/", chosen, follow=True).content.decode()
    assert (Delivery.objects.get().status, deliver_mails()) == ("pending", 1)


def test_staff_without_the_permission_send_nothing_again(put: Put, bob: User) -> None:
    put()
    Delivery.objects.update(status="failed")
    bob.is_staff = True
    bob.save()
    bob.user_permissions.add(Permission.objects.get(codename="view_delivery"))
    client = Client()
    client.force_login(bob)
    assert client.get("/admin/hitl/delivery/").status_code == 200
    client.post("/admin/hitl/delivery/", {"action": "send_again", "_selected_action": [str(Delivery.objects.get().pk)]})
    assert Delivery.objects.get().status == "failed"


def test_a_worker_that_dies_while_it_sends_is_replaced_and_nobody_sends_at_the_same_time(
    settings: Any, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    with monkeypatch.context() as dying:
        dying.setattr(deliver.mail, "send", _die)
        with pytest.raises(KeyboardInterrupt):
            deliver_mails()
    with mail_server() as post:
        settings.EMAIL_PORT = post.port
        assert deliver_mails() == 0
        advance(deliver.LEASE)
        assert deliver_mails() == 1
        assert post.to() == ["alice@example.org"]


def _die(delivery: Delivery) -> str:
    raise KeyboardInterrupt


def test_a_sender_that_wakes_up_late_does_not_undo_what_another_did(
    settings: Any, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    real = deliver.mail.send

    def slow(delivery: Delivery) -> str:
        """Its lease ends while it sends; another sends meanwhile; then it fails."""
        advance(deliver.LEASE)
        monkeypatch.setattr(deliver.mail, "send", real)
        assert deliver_mails() == 1
        raise TimeoutError

    monkeypatch.setattr(deliver.mail, "send", slow)
    with mail_server() as post:
        settings.EMAIL_PORT = post.port
        deliver_mails()
    assert (Delivery.objects.get().status, Delivery.objects.get().attempts) == ("sent", 2)


def test_workers_deliver_mails_and_webhooks_as_chores_of_their_own() -> None:
    assert {chore.name for chore in all_chores()} >= {"mails", "webhooks"}
