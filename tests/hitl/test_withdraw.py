"""A question is taken back by who may cancel its run, and by nobody else, over REST and on its page."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from hitl import answers
from hitl.errors import MayNotWithdraw, QuestionClosed
from hitl.models import Question
from perdure.accounts.tokens import create_token
from runs.models import Audit, Event
from tests.api.client import ApiClient, error_of
from tests.hitl.conftest import Asks, Put, finished


def test_the_job_is_told_with_the_reason(asks: Asks, starter: User, alice: User) -> None:
    question = asks()
    client = ApiClient(create_token(starter, "tests"))
    path = f"/api/questions/{question.id}/withdraw/"
    shown = client.send(path, {"reason": "not needed any more"}).json()
    assert (shown["status"], shown["outcome"]) == ("withdrawn", {"decision": None, "value": None})
    run = finished(question)
    assert (run.status, run.error["type"]) == ("failed", "QuestionWithdrawn")
    assert "not needed any more" in run.error["message"]
    assert error_of(client.send(path, {}), 409, "question_closed")["details"]["status"] == "withdrawn"
    with pytest.raises(QuestionClosed):
        answers.answer(question.id, alice, "approve", digest=question.digest)
    assert Event.objects.filter(run=run, type="question:withdraw").count() == 1
    assert Audit.objects.get(action="question.withdraw").actor_name.endswith("of sara")


def test_others_do_not_take_it_back(put: Put, mallory: User, alice: User) -> None:
    question = put(to=("alice",))
    path = f"/api/questions/{question.id}/withdraw/"
    error_of(ApiClient(None).send(path, {}), 401, "not_authenticated")
    stranger = ApiClient(create_token(mallory, "tests"))
    error_of(stranger.send(path, {}), 404, "question_not_found")
    answers.delegate(question.id, alice, "mallory")  # sees the question now, but not its run
    error_of(stranger.send(path, {"reason": "x"}), 403, "may_not_withdraw")
    with pytest.raises(MayNotWithdraw):
        answers.withdraw(question.id, mallory)
    assert Question.objects.get().status == "open"


@pytest.mark.parametrize("body", [{"reason": 1}, {"reason": "x" * 10_001}, {"reason": "\0"}, {"why": "x"}])
def test_a_bad_reason_changes_nothing(put: Put, starter: User, body: dict[str, object]) -> None:
    question = put()
    client = ApiClient(create_token(starter, "tests"))
    assert client.send(f"/api/questions/{question.id}/withdraw/", body).status_code == 400
    assert Question.objects.get().status == "open"


def test_it_is_taken_back_on_its_page(put: Put, starter: User, mallory: User) -> None:
    question = put()
    path = f"/questions/{question.id}/withdraw/"
    assert Client().post(path)["Location"] == f"/sign-in/?next={path}"
    client, stranger = Client(), Client()
    stranger.force_login(mallory)
    assert stranger.post(path).status_code == 404
    client.force_login(starter)
    assert f'action="{path}"' in client.get(f"/questions/{question.id}/").content.decode()
    assert client.post(path, {"reason": "asked twice"}).status_code == 302
    page = client.get(f"/questions/{question.id}/").content.decode()
    assert "asked twice" in page
    assert f'action="{path}"' not in page
