"""The webhook gets signed messages, at least once and with a stable id; nobody leads them elsewhere."""

import base64
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from hitl import answers, asking
from hitl.models import Delivery
from hitl.notify import webhook
from hitl.notify.deliver import deliver_webhooks
from hitl.notify.outward import is_public
from hitl.notify.webhook import sign
from runs import clock
from runs.testing import advance
from tests.hitl.conftest import Put
from tests.hitl.listeners import Hook, dripping_server, hook_server

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


@pytest.fixture
def hook(settings: Any) -> Iterator[Hook]:
    with hook_server() as server:
        use(settings, server.url)
        yield server


def use(settings: Any, url: str, *, private: bool = True) -> None:
    settings.HITL_WEBHOOK_URL, settings.HITL_WEBHOOK_SECRET = url, SECRET
    settings.HITL_WEBHOOK_ALLOW_PRIVATE = private
    settings.HITL_BASE_URL = "https://perdure.example"


def test_a_message_is_signed_and_leads_to_the_question(hook: Hook, put: Put, alice: User) -> None:
    question = put(body="secret words", to=("alice",))
    assert deliver_webhooks() == 1
    headers, body = hook.requests[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = hmac.new(b"0123456789abcdef0123456789abcdef", signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
    assert headers["webhook-id"] == str(Delivery.objects.get().pk)
    assert abs(int(headers["webhook-timestamp"]) - clock.now().timestamp()) < 60
    message = json.loads(body)
    assert message["type"] == "question.asked"
    assert message["data"] == {
        "question": str(question.id), "run": str(question.run_id), "job": "ask-approval", "title": "ok?",
        "kind": "approval", "status": "open", "deadline": None,
        "url": f"https://perdure.example/questions/{question.id}/",
    }  # fmt: skip


def test_the_signature_is_the_one_of_standard_webhooks() -> None:
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    assert sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_every_turn_of_a_question_is_told(hook: Hook, put: Put, alice: User, bob: User) -> None:
    question = put(to=("alice",))
    asking.revise(question.id, body="new")
    answers.delegate(question.id, alice, "bob")
    question.refresh_from_db()
    answers.answer(question.id, bob, "deny", digest=question.digest)
    deliver_webhooks()
    told = [json.loads(body) for _, body in hook.requests]
    assert [one["type"].removeprefix("question.") for one in told] == ["asked", "revised", "delegated", "closed"]
    assert told[2]["data"]["by"] == "alice"
    closed = told[3]["data"]
    assert (closed["status"], closed["decision"], closed["by"]) == ("answered", "deny", ["bob"])


def test_a_refusal_is_tried_again_with_the_same_id_and_body(hook: Hook, put: Put) -> None:
    hook.statuses += [500, 429]
    put()
    for seconds in (11, 21, 0):
        assert deliver_webhooks() == 1
        advance(timedelta(seconds=seconds))
    assert len({(headers["webhook-id"], body) for headers, body in hook.requests}) == 1
    assert len(hook.requests) == 3
    assert len({headers["webhook-timestamp"] for headers, _ in hook.requests}) > 1
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts) == ("sent", 3)


def test_a_redirect_is_not_followed(settings: Any, put: Put) -> None:
    with hook_server() as inside, hook_server(location=inside.url) as outside:
        use(settings, outside.url)
        outside.statuses.append(307)
        put()
        deliver_webhooks()
        assert (len(outside.requests), inside.requests) == (1, [])
    assert "307; redirects are not followed" in Delivery.objects.get().error


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_an_address_inside_is_called_only_where_that_is_allowed(settings: Any, put: Put, hook: Hook, host: str) -> None:
    port = hook.url.split(":")[2].split("/")[0]
    use(settings, f"http://{host}:{port}/", private=False)
    put()
    deliver_webhooks()
    assert hook.requests == []
    assert "private address" in Delivery.objects.get().error


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1:248:1893:25c8:1946", True), ("10.0.0.1", False),
        ("192.168.1.1", False), ("172.16.0.1", False), ("169.254.169.254", False), ("100.64.0.1", False),
        ("127.0.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False), ("255.255.255.255", False), ("::1", False),
        ("fe80::1%eth0", False), ("fc00::1", False), ("::ffff:10.0.0.1", False), ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False), ("2001:0:a00:1::", False), ("ff02::1", False), ("::", False),
    ],
)  # fmt: skip
def test_private_addresses_are_told_from_public_ones(address: str, public: bool) -> None:
    assert is_public(address) is public


@given(st.ip_addresses(v=4))
def test_an_address_is_as_public_in_ipv6_as_in_ipv4(address: Any) -> None:
    assert is_public(f"::ffff:{address}") is is_public(str(address))


def test_who_answers_a_byte_at_a_time_is_cut_off(settings: Any, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TOTAL_SECONDS", 0.2)
    with dripping_server() as url:
        use(settings, url)
        put()
        began_at = clock.monotonic()
        deliver_webhooks()
        assert clock.monotonic() - began_at < 30
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts) == ("pending", 1)
    assert delivery.error
    for timer in [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]:
        timer.join(60)  # one that was called off takes a moment to end
        assert not timer.is_alive()


def test_a_server_that_cannot_prove_its_name_gets_nothing(settings: Any, put: Put, tmp_path: Any) -> None:
    with hook_server() as hook:
        use(settings, hook.url.replace("http:", "https:"))
        put()
        deliver_webhooks()
        assert hook.requests == []
    assert ssl.SSLError.__name__ in Delivery.objects.get().error
