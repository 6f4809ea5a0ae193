"""Who approves a call sees all of its arguments, whatever the model put into them."""

import html
import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl import answers
from hitl.models import Answer
from runs.jobs import readable
from tests.llm_tools.conftest import Performs, contents, driven, question_of

UNSEEN = {
    "to": "bob\u200b@example.org\u202e",
    "text": "Grüße \U000e0041 <script>alert(1)</script> **bold** [x](javascript:1)",
}


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_what_nobody_sees_is_spelt_and_nothing_runs(performs: Performs, alice: User) -> None:
    question = question_of(performs(("send_mail", UNSEEN)))
    for path in (f"/questions/{question.id}/", f"/runs/{question.run_id}/"):
        page = browser(alice).get(path).content.decode()
        assert "bob\\u200b@example.org\\u202e" in page
        assert "Grüße \\udb40\\udc41 &lt;script&gt;" in page
        assert not re.search("[\u200b\u202e\U000e0041]|<script>|<strong>bold|href=.javascript", page)


def test_the_form_gives_back_the_very_arguments(performs: Performs, alice: User) -> None:
    run = performs(("send_mail", UNSEEN))
    question = question_of(run)
    page = browser(alice).get(f"/questions/{question.id}/").content.decode()
    shown = re.search(r'<textarea name="value-arguments"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    hidden = {name: re.search(f'name="{name}" value="([^"]+)"', page) for name in ("digest", "token")}
    assert shown
    body = {name: found[1] for name, found in hidden.items() if found}
    sent = body | {"decision": "approve", "value-arguments": html.unescape(shown[1]).strip()}
    assert browser(alice).post(f"/questions/{question.id}/", sent).status_code == 302
    assert Answer.objects.get().value is None
    assert contents(driven(run)) == [f"sent to {UNSEEN['to']}: {UNSEEN['text']}"]


def test_an_edit_in_the_form_must_fit_and_is_what_runs(performs: Performs, alice: User) -> None:
    run = performs(("send_mail", UNSEEN))
    question = question_of(run)
    client = browser(alice)
    page = client.get(f"/questions/{question.id}/").content.decode()
    hidden = {name: re.search(f'name="{name}" value="([^"]+)"', page) for name in ("digest", "token")}
    body = {name: found[1] for name, found in hidden.items() if found} | {"decision": "approve"}
    refused = client.post(f"/questions/{question.id}/", body | {"value-arguments": '{"to": 7, "cc": "me"}'})
    assert refused.status_code == 400
    assert "7 is not of type" in html.unescape(refused.content.decode())
    assert client.post(f"/questions/{question.id}/", body | {"value-arguments": '{"to": "carol"}'}).status_code == 302
    assert contents(driven(run))[0].endswith("sent to carol: ")


def test_a_stranger_neither_sees_nor_decides_it(performs: Performs, alice: User) -> None:
    question = question_of(performs(("send_mail", UNSEEN)))
    mallory = User.objects.create_user("mallory")
    assert browser(mallory).get(f"/questions/{question.id}/").status_code == 404
    assert Client().get(f"/questions/{question.id}/").status_code == 302
    with pytest.raises(Exception, match="There is no question"):
        answers.answer(question.id, mallory, "approve", digest=question.digest)


@settings(max_examples=30, deadline=None)
@given(st.none() | st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.lists(st.text() | st.integers())))
def test_readable_json_is_the_same_value_without_anything_unseen(value: Any) -> None:
    shown = readable(value)
    assert json.loads(shown) == value
    assert all(sign.isprintable() or sign == "\n" for sign in shown)
