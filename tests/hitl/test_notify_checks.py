"""What would keep mails and webhooks from arriving is a system check with an id and a remedy."""

import base64
from typing import Any

import pytest
from django.test import override_settings

from hitl import checks
from perdure.checks import check_mail_server

SECRET = "whsec_" + base64.b64encode(b"x" * 32).decode()


def ids(**settings: Any) -> list[str]:
    with override_settings(**{f"HITL_{name.upper()}": value for name, value in settings.items()}):
        found = [*checks.check_webhook(), *checks.check_links()]
    assert all(message.hint for message in found)
    return [str(message.id) for message in found]


def test_without_mails_and_webhooks_there_is_nothing_to_say() -> None:
    assert ids() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"webhook_url": "ftp://hooks.example/"}, ["hitl.E001"]),
        ({"webhook_url": "https://"}, ["hitl.E001"]),
        ({"webhook_url": "https://a:b@hooks.example/"}, ["hitl.E001"]),
        ({"webhook_url": "https://hooks.example:x/"}, ["hitl.E001"]),
        ({"webhook_url": "https://hooks.example/a b"}, ["hitl.E001"]),
        ({"webhook_secret": ""}, ["hitl.E002"]),
        ({"webhook_secret": "short"}, ["hitl.E002"]),
        ({"webhook_secret": "whsec_no base64, though it is long enough"}, ["hitl.E002"]),
        ({"webhook_secret": "a long secret without a prefix is taken as it is"}, []),
        ({"webhook_url": "http://10.0.0.1/hook"}, ["hitl.W003"]),
        ({"webhook_url": "http://localhost/hook"}, ["hitl.W003"]),
        ({"webhook_url": "http://10.0.0.1/hook", "webhook_allow_private": True}, []),
        ({"base_url": "http://localhost:8000"}, ["hitl.W004"]),
        ({"base_url": "perdure.example"}, ["hitl.E005"]),
        ({"webhook_url": "", "email": True, "base_url": "http://127.0.0.1"}, ["hitl.W004"]),
    ],
)
def test_each_mistake_has_its_check(changes: dict[str, Any], expected: list[str]) -> None:
    fine = {"webhook_url": "https://hooks.example/x", "webhook_secret": SECRET, "base_url": "https://perdure.example"}
    assert ids(**fine | changes) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", []), ("smtp://me:secret@mail.example:587", []), ("file:///tmp/mails", []),
        ("mail.example", ["perdure.E004"]), ("http://mail.example", ["perdure.E004"]),
        ("smtp://mail.example:port", ["perdure.E004"]),
    ],
)  # fmt: skip
def test_a_mail_address_that_cannot_be_one_is_named(url: str, expected: list[str]) -> None:
    with override_settings(EMAIL_URL=url):
        found = check_mail_server(None)
    assert [message.id for message in found] == expected
    assert all(message.hint for message in found)
