"""Every door of a question, for everybody whom it was not put to: neither seen nor answered."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from hitl.models import Answer, Comment, Question
from perdure.accounts.tokens import create_token
from tests.api.client import ApiClient
from tests.hitl.conftest import Put, person

SECRET = "merge the secret branch?"
PAGES = {
    "page": "/questions/{id}/",
    "comment by page": "/questions/{id}/comment/",
    "delegate by page": "/questions/{id}/delegate/",
    "withdraw by page": "/questions/{id}/withdraw/",
}
REST = {
    "answer": {"decision": "approve"},
    "delegate": {"to": "mallory"},
    "comment": {"text": "hello"},
    "withdraw": {"reason": "because"},
}


@pytest.fixture
def question(put: Put, alice: User) -> Question:
    return put(title=SECRET, body=SECRET, to=("alice",))


@pytest.fixture
def wrong_group(db: None) -> User:
    """In a group that exists, and is neither asked nor the run's."""
    return person("walter", Group.objects.create(name="cleaners"))


@pytest.fixture(params=["stranger", "wrong group", "stranger of staff"])
def outsider(request: pytest.FixtureRequest, mallory: User, wrong_group: User) -> User:
    user = wrong_group if request.param == "wrong group" else mallory
    if request.param == "stranger of staff":
        user.is_staff = True
        user.save()
    return user


def browser(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def unchanged(question: Question) -> bool:
    before = (question.status, question.digest, ["alice"])
    question.refresh_from_db()
    to = [user.username for user in question.people.all()]
    nothing = not Answer.objects.exists() and not Comment.objects.exists()
    return nothing and before == (question.status, question.digest, to)


def fields(question: Question) -> dict[str, str]:
    return {"decision": "approve", "digest": question.digest, "token": "t" * 32, "text": "x", "to": "mallory"}


@pytest.mark.parametrize("door", PAGES)
def test_pages_are_not_there_for_outsiders(question: Question, outsider: User, door: str) -> None:
    path = PAGES[door].format(id=question.id)
    anonymous = browser(None).post(path, fields(question))
    assert (anonymous.status_code, anonymous["Location"]) == (302, f"/sign-in/?next={path}")
    answer = browser(outsider).post(path, fields(question))
    assert answer.status_code == 404
    assert SECRET not in answer.content.decode()
    if door == "page":
        assert browser(outsider).get(path).status_code == 404
    assert unchanged(question)


@pytest.mark.parametrize("path", ["/inbox/", "/", "/runs/", "/runs/{run}/"])
def test_lists_and_the_runs_page_do_not_name_it(question: Question, outsider: User, path: str) -> None:
    address = path.format(run=question.run_id)
    assert browser(None).get(address).status_code == 302
    page = browser(outsider).get(address)
    assert page.status_code == (404 if "{run}" in path else 200)
    assert SECRET not in page.content.decode()
    assert 'class="count"' not in page.content.decode()


@pytest.mark.parametrize("door", REST)
def test_rest_answers_as_for_no_question_at_all(question: Question, outsider: User, door: str) -> None:
    path = f"/api/questions/{question.id}/{door}/"
    body = REST[door] | ({"digest": question.digest} if door == "answer" else {})
    assert ApiClient(None).send(path, body).status_code == 401
    client = ApiClient(create_token(outsider, "tests"))
    refused = client.send(path, body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "question_not_found")
    assert client.get(f"/api/questions/{question.id}/").status_code == 404
    assert client.get("/api/questions/").json()["results"] == []
    assert client.get(f"/api/questions/?run={question.run_id}").json()["results"] == []
    assert unchanged(question)


def _of_staff(user: User, *names: str) -> None:
    user.is_staff = True
    user.save()
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))


@pytest.mark.parametrize("action", ["approve_questions", "reject_questions"])
def test_the_admin_decides_for_nobody_who_may_not(question: Question, outsider: User, action: str) -> None:
    address = "/admin/hitl/question/"
    chosen = {"action": action, "_selected_action": [str(question.pk)], "reason": "x"}
    chosen[f"digest-{question.pk}"] = question.digest
    assert browser(None).post(address, chosen)["Location"].startswith("/admin/login/")
    refused = browser(outsider).post(address, chosen)
    assert refused.status_code == (403 if outsider.is_staff else 302)
    _of_staff(outsider, "view_question", "change_question")
    browser(User.objects.get(pk=outsider.pk)).post(address, chosen)
    assert unchanged(question)


def test_who_sees_the_run_but_was_not_asked_reads_and_does_not_decide(
    question: Question, bob: User, starter: User
) -> None:
    for user in (bob, starter):
        client = browser(user)
        for path in (f"/questions/{question.id}/", f"/runs/{question.run_id}/"):
            page = client.get(path).content.decode()
            assert SECRET in page
            assert 'value="approve"' not in page
        assert client.post(f"/questions/{question.id}/", fields(question)).status_code == 403
        assert SECRET not in client.get("/inbox/").content.decode().split("Closed last")[0]
        body = {"decision": "approve", "digest": question.digest}
        token = ApiClient(create_token(user, "tests"))
        for path, sent in (("answer", body), ("delegate", {"to": "bob"})):
            assert token.send(f"/api/questions/{question.id}/{path}/", sent).status_code == 403
    assert unchanged(question)


@pytest.mark.parametrize("who", ["member", "administrator"])
def test_who_delegated_it_reads_and_does_not_decide(put: Put, alice: User, mallory: User, root: User, who: str) -> None:
    question = put(to=("group:night shift",), quorum=2)
    user = {"member": alice, "administrator": root}[who]
    token, client = ApiClient(create_token(user, "tests")), browser(user)
    assert client.post(f"/questions/{question.id}/delegate/", {"to": "mallory"}).status_code == 302
    assert 'value="approve"' not in client.get(f"/questions/{question.id}/").content.decode()
    assert client.post(f"/questions/{question.id}/", fields(question)).status_code == 403
    assert token.get("/api/questions/?mine=true").json()["results"] == []
    body = {"decision": "approve", "digest": question.digest}
    assert token.send(f"/api/questions/{question.id}/answer/", body).status_code == 403
    if who == "administrator":
        chosen = {"action": "approve_questions", "_selected_action": [str(question.id)]}
        client.post("/admin/hitl/question/", chosen | {"reason": "yes", f"digest-{question.id}": question.digest})
    assert not Answer.objects.exists()
    assert token.send(f"/api/questions/{question.id}/delegate/", {"to": "bob"}).status_code == 403


@pytest.mark.parametrize("lose", ["group", "account", "name"])
def test_who_was_asked_and_is_not_any_more_is_an_outsider(put: Put, alice: User, lose: str) -> None:
    question = put(to=("group:night shift",)) if lose == "group" else put(to=("alice",))
    if lose == "group":
        alice.groups.clear()
    elif lose == "account":
        alice.is_active = False
        alice.save()
    else:
        alice.groups.clear()
        question.people.clear()
        question.people.add(person("zoe"))
    assert browser(alice).post(f"/questions/{question.id}/", fields(question)).status_code in (302, 404)
    assert not Answer.objects.exists()
