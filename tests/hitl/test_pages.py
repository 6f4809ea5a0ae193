"""The inbox and the question page, for the anonymous, the stranger, the starter and those who answer."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from hitl.asking import revise
from hitl.models import Answer
from runs import jobs
from tests.hitl.conftest import Asks, Put, finished
from tests.hitl.jobs import Budget


def browser(user: User, **options: bool) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


def sent(page: str, **fields: str) -> dict[str, str]:
    """What the form of the page sends."""
    hidden = {name: re.search(f'name="{name}" value="([^"]+)"', page) for name in ("digest", "token")}
    return {name: found.group(1) for name, found in hidden.items() if found} | fields


def test_an_approval_in_the_browser_lets_the_run_go_on(asks: Asks, alice: User) -> None:
    question = asks()
    client = browser(alice)
    run_page = client.get(f"/runs/{question.run_id}/").content.decode()
    assert f'action="/questions/{question.id}/"' in run_page
    assert "<strong>Merge</strong> it?" in run_page
    assert 'aria-label="1 waiting"' in run_page
    body = sent(run_page, decision="approve", comment="fine")
    answer = client.post(f"/questions/{question.id}/", body)
    assert (answer.status_code, answer["Location"]) == (302, f"/questions/{question.id}/")
    assert client.post(f"/questions/{question.id}/", body).status_code == 302  # a double click
    assert Answer.objects.count() == 1
    assert finished(question).output["after"] == "approve"
    shown = client.get(f"/questions/{question.id}/").content.decode()
    assert "Decided: <strong>approve</strong>" in shown
    inbox = client.get("/inbox/").content.decode()
    assert "Nothing waits for you" in inbox
    assert 'class="count"' not in inbox


def test_who_may_not_see_it_finds_nothing(put: Put, mallory: User) -> None:
    question = put()
    for path in ("/inbox/", f"/questions/{question.id}/"):
        assert Client().get(path)["Location"] == f"/sign-in/?next={path}"
    for path in ("", "comment/", "delegate/"):
        address = f"/questions/{question.id}/{path}"
        assert Client().post(address).status_code == 302
        assert browser(mallory).post(address, {"decision": "approve"}).status_code == 404
    assert question.title not in browser(mallory).get("/inbox/").content.decode()
    assert (Answer.objects.count(), question.comments.count()) == (0, 0)


def test_the_starter_sees_it_without_a_form_and_is_refused(put: Put, starter: User, alice: User) -> None:
    question = put()
    page = browser(starter).get(f"/questions/{question.id}/").content.decode()
    assert "who started the run does not decide it" in page
    assert 'value="approve"' not in page
    forged = sent(browser(alice).get(f"/questions/{question.id}/").content.decode(), decision="approve")
    assert browser(starter).post(f"/questions/{question.id}/", forged).status_code == 403
    assert not Answer.objects.exists()


def test_a_form_needs_its_csrf_token(put: Put, alice: User) -> None:
    question = put()
    client = browser(alice, enforce_csrf_checks=True)
    for path in ("", "comment/", "delegate/"):
        assert client.post(f"/questions/{question.id}/{path}", {"decision": "approve"}).status_code == 403
    assert not Answer.objects.exists()


def test_what_was_replaced_is_not_decided_but_shown_again(put: Put, alice: User) -> None:
    question = put(body="old words")
    client = browser(alice)
    body = sent(client.get(f"/questions/{question.id}/").content.decode(), decision="approve")
    revise(question.id, body="new words")
    answer = client.post(f"/questions/{question.id}/", body)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "was changed after it was shown to you" in page
    assert "new words" in page
    assert not Answer.objects.exists()


def test_a_late_answer_is_told_who_decided(put: Put, alice: User, bob: User) -> None:
    question = put()
    clients = [browser(user) for user in (alice, bob)]
    bodies = [sent(one.get(f"/questions/{question.id}/").content.decode(), decision="deny") for one in clients]
    assert clients[0].post(f"/questions/{question.id}/", bodies[0]).status_code == 302
    late = clients[1].post(f"/questions/{question.id}/", bodies[1])
    assert late.status_code == 409
    assert "answered by alice" in late.content.decode()


def test_the_form_has_a_field_for_each_part_of_the_value(put: Put, alice: User) -> None:
    question = put(kind="input", schema=Budget.model_json_schema())
    client = browser(alice)
    page = client.get(f"/questions/{question.id}/").content.decode()
    assert re.search(r'<input type="number" name="value-amount"[^>]* max="500"', page)
    wrong = client.post(f"/questions/{question.id}/", sent(page, decision="submit", **{"value-amount": "900"}))
    assert wrong.status_code == 400
    assert "Nothing was decided" in wrong.content.decode()
    right = client.post(f"/questions/{question.id}/", sent(page, decision="submit", **{"value-amount": "20"}))
    assert right.status_code == 302
    assert Answer.objects.get().value == {"amount": 20}


@pytest.mark.parametrize(
    ("draft", "field", "value", "expected"),
    [
        ({"kind": "choice", "choices": ["red", 7]}, "value-chosen", "1", 7),
        (
            {"kind": "tool_call", "context": {"name": "rm", "arguments": {"path": "/"}}},
            "value-arguments", '{"path": "/tmp"}', {"path": "/tmp"},
        ),
        (
            {"kind": "tool_call", "context": {"name": "rm", "arguments": {"path": "/"}}},
            "value-arguments", '{"path": "/"}', None,
        ),
    ],
)  # fmt: skip
def test_choices_and_tool_calls_are_answered_by_form(
    put: Put, alice: User, draft: dict[str, object], field: str, value: str, expected: object
) -> None:
    question = put(**draft)
    client = browser(alice)
    page = client.get(f"/questions/{question.id}/").content.decode()
    wrong = client.post(f"/questions/{question.id}/", sent(page, decision=question.decisions[0], **{field: "nonsense"}))
    assert wrong.status_code == 400
    body = sent(page, decision=question.decisions[0], **{field: value})
    assert client.post(f"/questions/{question.id}/", body).status_code == 302
    assert Answer.objects.get().value == expected


def test_what_is_shown_cannot_run_anything(put: Put, alice: User) -> None:
    evil = "<script>alert(1)</script>"
    shown = [
        put(title=evil, body=f"{evil} [x](javascript:alert(1)) ![i](http://localhost/x)", context={"diff": f"+{evil}"}),
        put(context=[{evil: evil}]),
        put(kind="choice", choices=[evil], context={"x": evil}),
    ]
    client = browser(alice)
    for question in shown:
        for path in (f"/questions/{question.id}/", f"/runs/{question.run_id}/", "/inbox/"):
            page = client.get(path).content.decode()
            assert "<script>" not in page
            assert "<img" not in page
            assert 'href="javascript' not in page


def test_a_diff_and_a_table_are_shown_as_such(put: Put, alice: User) -> None:
    question = put(context={"diff": "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new"})
    page = browser(alice).get(f"/questions/{question.id}/").content.decode()
    assert re.search('<span class="remove" data-old="1">-(<mark>)?old', page)
    assert re.search('<span class="add" data-new="1">[+](<mark>)?new', page)
    table = put(context=[{"name": "a", "cost": 1}, {"name": "b"}])
    assert '<th scope="col">Cost</th>' in browser(alice).get(f"/questions/{table.id}/").content.decode()


def test_people_comment_and_delegate_on_the_page(put: Put, alice: User, mallory: User) -> None:
    question = put(to=("alice",))
    client = browser(alice)
    client.post(f"/questions/{question.id}/comment/", {"text": "Whose is it?"})
    assert "Whose is it?" in client.get(f"/questions/{question.id}/").content.decode()
    refused = client.post(f"/questions/{question.id}/delegate/", {"to": "nobody"}, follow=True)
    assert "nobody who can sign in" in refused.content.decode()
    client.post(f"/questions/{question.id}/delegate/", {"to": "mallory"})
    page = browser(mallory).get(f"/questions/{question.id}/").content.decode()
    assert 'value="approve"' in page
    assert f"/runs/{question.run_id}/" not in page  # the run stays its team's
    assert browser(mallory).get(f"/runs/{question.run_id}/").status_code == 404


def test_the_inbox_holds_open_questions_only(put: Put, alice: User) -> None:
    question, gone = put(title="still open"), put(title="run is over")
    jobs.cancel(gone.run_id)
    page = browser(alice).get("/inbox/").content.decode()
    assert question.title in page
    assert gone.title not in page
    assert "withdrawn" in browser(alice).get(f"/questions/{gone.id}/").content.decode().lower()
