"""The admin decides questions with a reason, for what it showed, and only by who may answer."""

import re
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

from hitl.asking import revise
from hitl.models import Answer, Question
from tests.hitl.conftest import Put

LIST = "/admin/hitl/question/"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def act(client: Client, action: str, *questions: Question, **fields: str) -> Any:
    chosen = {"action": action, "_selected_action": [str(question.pk) for question in questions]}
    return client.post(LIST, chosen | fields, follow=True)


def digests(page: Any) -> dict[str, str]:
    return dict(re.findall(r'name="(digest-[^"]+)" value="([^"]+)"', page.content.decode()))


def test_an_administrator_reads_then_decides_with_a_reason(put: Put, root: User) -> None:
    question, other = put(body="Deploy <b>it</b>?"), put(title="another", kind="choice", choices=["a"])
    client = browser(root)
    assert client.get(LIST).status_code == client.get(f"{LIST}{question.pk}/change/").status_code == 200
    shown = act(client, "approve_questions", question, other)
    assert "Deploy &lt;b&gt;it&lt;/b&gt;?" in shown.content.decode()
    without = act(client, "approve_questions", question, other, reason=" ", **digests(shown))
    assert "nothing was decided" in without.content.decode()
    assert not Answer.objects.exists()
    done = act(client, "approve_questions", question, other, reason="tested", **digests(shown)).content.decode()
    assert "your answer counts" in done
    assert "must be one of: choose" in done
    made = Answer.objects.get()
    assert (made.question_id, made.by_name, made.decision, made.comment) == (question.pk, "root", "approve", "tested")


def test_what_was_replaced_meanwhile_is_not_rejected(put: Put, root: User) -> None:
    question = put()
    client = browser(root)
    shown = act(client, "reject_questions", question)
    revise(question.id, body="other")
    page = act(client, "reject_questions", question, reason="no", **digests(shown)).content.decode()
    assert "was changed after it was shown" in page
    assert not Answer.objects.exists()


def test_staff_without_the_permission_or_the_right_to_answer_decide_nothing(put: Put, mallory: User, bob: User) -> None:
    question = put()
    for user, names in ((mallory, ["view_question", "change_question"]), (bob, ["view_question"])):
        user.is_staff = True
        user.save()
        user.user_permissions.add(*Permission.objects.filter(codename__in=names))
        act(browser(user), "approve_questions", question, reason="yes", **{f"digest-{question.pk}": question.digest})
    assert not Answer.objects.exists()
    assert browser(bob).get(LIST).status_code == 200
