"""The inbox: what is urgent stands first, kinds and jobs narrow it, and each page says what follows."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from hitl.asking import Draft, open_question
from hitl.models import Question
from perdure.dashboard.inbox import closed
from runs import clock, jobs

SignedIn = Callable[..., Client]
Put = Callable[..., Question]


@pytest.fixture
def put(owner: User, team: Group) -> Put:
    """A question to the owner's team, which the member answers."""

    def ask(job: str = "page-nothing", hours: float | None = None, **draft: Any) -> Question:
        run = jobs.start(job, owner=owner, team=team).run
        due = None if hours is None else clock.now() + timedelta(hours=hours)
        values = {"title": "ok?", "kind": "approval", "deadline": due} | draft
        return Question.objects.get(pk=open_question(run.pk, "ok?", Draft(**values)))

    return ask


@pytest.fixture
def client(member: User, signed_in: SignedIn) -> Client:
    return signed_in(member)


def shown(client: Client, query: str = "") -> dict[str, list[str]]:
    """The titles of each group."""
    groups = client.get(f"/inbox/{query}").context["groups"]
    return {group.key: [question.title for question in group.questions] for group in groups}


def answer(client: Client, question: Question, decision: str = "approve", **more: str) -> Any:
    form = client.get(f"/questions/{question.pk}/").context["page"].form
    sent = {"digest": question.digest, "token": form.initial["token"], "decision": decision}
    return client.post(f"/questions/{question.pk}/", sent | more, follow=True)


def test_what_runs_out_first_stands_first(put: Put, client: Client) -> None:
    put(title="some day")
    put(title="tonight", hours=9)
    put(title="at once", hours=0.5)
    put(title="next week", hours=170)
    pressed = put(title="reminded")
    Question.objects.filter(pk=pressed.pk).update(reminded_at=clock.now())
    assert shown(client) == {
        "soon": ["at once"], "today": ["tonight", "reminded"], "later": ["next week", "some day"],
    }  # fmt: skip
    page = client.get("/inbox/").content.decode()
    assert page.index("Within the hour") < page.index("Today") < page.index("No hurry")


def test_kinds_and_jobs_narrow_it_and_stand_in_the_address(put: Put, client: Client) -> None:
    put(title="merge?")
    put(title="colour?", kind="choice", choices=["red", "blue"])
    put(title="other job", job="page-asks-part")
    assert shown(client, "?kind=choice") == {"later": ["colour?"]}
    assert shown(client, "?job=page-asks-part") == {"later": ["other job"]}
    chips = client.get("/inbox/?job=page-nothing").context["chips"]
    assert [(chip.label, chip.count) for chip in chips] == [("All", 2), ("Approvals", 1), ("Choices", 1)]
    assert "job=page-nothing" in chips[1].query
    assert "Nothing of this kind waits for you." in client.get("/inbox/?kind=limit").content.decode()
    assert client.get("/inbox/?kind=nonsense").status_code == 200
    assert client.get("/inbox/?job=%00").status_code == 400


def test_an_empty_inbox_says_what_to_do_next(client: Client, db: None) -> None:
    page = client.get("/inbox/").content.decode()
    assert "Nothing waits for you." in page
    assert "it appears here by itself" in page


def test_what_follows_is_said_before_and_after(put: Put, client: Client) -> None:
    first, second = put(title="first?", quorum=2), put(title="second?", hours=1)
    page = client.get(f"/questions/{first.pk}/").content.decode()
    assert "Approve, and the run goes on." in page
    assert "After yours it takes 1 more answer." in page
    answered = answer(client, first).content.decode()
    assert "It takes 1 more answer; until then its run waits." in answered
    assert f'href="/questions/{second.pk}/">Next: second?' in answered
    last = answer(client, second).content.decode()
    assert "Its run has been told and goes on by itself." in last
    assert "Next:" not in last
    jobs.cancel(second.run_id)
    assert "it is cancelled" in client.get(f"/questions/{second.pk}/").content.decode()


def test_closed_questions_are_paged_and_show_to_those_who_see_them(
    put: Put, client: Client, stranger: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closed, "PAGE_SIZE", 2)
    for title in ("one", "two", "three"):
        answer(client, put(title=title), "deny")
    page = client.get("/inbox/?show=closed")
    assert [question.title for question in page.context["page"].questions] == ["three", "two"]
    older = client.get(f"/inbox/?show=closed&before={page.context['page'].older}")
    assert [question.title for question in older.context["page"].questions] == ["one"]
    others = signed_in(stranger)
    assert not others.get("/inbox/?show=closed").context["page"].questions
    foreign = f"/inbox/?show=closed&before={page.context['page'].older}"
    assert (others.get(foreign).status_code, client.get("/inbox/?show=closed&before=x").status_code) == (400, 400)
    assert Client().get("/inbox/?show=closed").status_code == 302


@pytest.mark.parametrize(
    ("back", "leads_to"), [("run", "runs"), ("", "questions"), ("//elsewhere.example", "questions")]
)
def test_an_answer_given_on_the_runs_page_leads_back_to_it(put: Put, client: Client, back: str, leads_to: str) -> None:
    question = put()
    answered = answer(client, question, back=back)
    pk = question.run_id if leads_to == "runs" else question.pk
    assert answered.redirect_chain == [(f"/{leads_to}/{pk}/", 302)]


def test_the_bar_asks_for_the_count_of_what_waits_for_its_reader(
    put: Put, client: Client, stranger: User, owner: User, signed_in: SignedIn
) -> None:
    put()
    put()
    anonymous = Client().get("/inbox/count/")
    assert (anonymous.status_code, anonymous["Location"]) == (302, "/sign-in/?next=/inbox/count/")
    assert client.get("/inbox/count/").json() == {"count": 2}
    # who started the runs does not decide about them, and others do not see them
    assert [signed_in(one).get("/inbox/count/").json() for one in (owner, stranger)] == [{"count": 0}] * 2
    assert client.post("/inbox/count/").status_code == 405
