"""The page before a bulk change: it shows what will be done, and starts it once."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from runs import jobs
from runs.models import Run

SignedIn = Callable[..., Client]
NAME = "bulk-change"


def fields(answer: object) -> dict[str, object]:
    """What the page's form would send."""
    context = answer.context  # type: ignore[attr-defined]
    order = context["order"]
    whom = {"run": [str(one) for one in order.runs]}
    if order.query is not None:
        whom = {"all": "1", "query": order.query, "newest": str(order.newest)}  # type: ignore[dict-item]
    return {"action": order.action.value, "confirmed": "yes", "key": context["key"], **whom}


def test_it_says_what_would_happen_and_then_starts_one_run(run: Run, owner: User, signed_in: SignedIn) -> None:
    client = signed_in(owner)
    shown = client.post("/runs/bulk/", {"action": "cancel", "run": [str(run.pk)]})
    assert "Cancel 1 run" in shown.content.decode()
    assert not Run.objects.filter(job=NAME).exists()
    first, second = (client.post("/runs/bulk/", fields(shown)) for _ in range(2))
    started = Run.objects.get(job=NAME)
    assert first["Location"] == second["Location"] == f"/runs/{started.pk}/"
    assert (started.owner, started.team, started.labels) == (owner, None, {"bulk": "cancel"})


def test_all_that_match_keeps_the_filter_and_its_time(
    run: Run, owner: User, signed_in: SignedIn, finish: Callable[..., Run]
) -> None:
    finish(jobs.start("page-nothing", owner=owner).run)
    client = signed_in(owner)
    shown = client.post("/runs/bulk/", {"action": "cancel", "all": "1", "query": "job=page-nothing&since=7d"})
    assert shown.context["preview"].fitting == 1  # the completed one is not for it
    order = shown.context["order"]
    assert "since=2" in order.query
    assert "7d" not in order.query
    client.post("/runs/bulk/", fields(shown))
    assert Run.objects.get(job=NAME).input["query"] == order.query


def test_another_teams_runs_are_left_out_as_if_they_were_not(run: Run, stranger: User, signed_in: SignedIn) -> None:
    mine = jobs.start("page-nothing", owner=stranger).run
    client = signed_in(stranger)
    answer = client.post("/runs/bulk/", {"action": "cancel", "run": [str(run.pk)]})
    assert (answer.status_code, "not there" in answer.content.decode() or "any more" in answer.content.decode()) == (
        400,
        True,
    )
    both = client.post("/runs/bulk/", {"action": "cancel", "run": [str(run.pk), str(mine.pk)], "confirmed": "yes"})
    assert both.status_code == 302
    assert Run.objects.get(job=NAME).input["runs"] == [str(mine.pk)]


@pytest.mark.parametrize(
    "form",
    [
        {"action": "delete-all", "all": "1"},
        {"action": "cancel"},
        {"action": "cancel", "run": ["x"]},
        {"action": "cancel", "all": "1", "query": "status=sleeping"},
        {"action": "cancel", "all": "1", "query": "q=%00"},
        {"action": "cancel", "all": "1", "query": "label=" + "x" * 300},
    ],
)
def test_what_makes_no_sense_is_answered_with_400(form: dict[str, object], owner: User, signed_in: SignedIn) -> None:
    assert signed_in(owner).post("/runs/bulk/", form).status_code == 400
    assert not Run.objects.filter(job=NAME).exists()


def test_it_takes_a_member_a_post_and_a_csrf_token(run: Run, owner: User, team: Group, signed_in: SignedIn) -> None:
    form = {"action": "cancel", "run": [str(run.pk)], "confirmed": "yes"}
    assert Client().post("/runs/bulk/", form).status_code == 302
    assert signed_in(owner).get("/runs/bulk/").status_code == 405
    assert signed_in(owner, enforce_csrf_checks=True).post("/runs/bulk/", form).status_code == 403
    assert not Run.objects.filter(job=NAME).exists()


def test_filters_too_long_for_it_are_refused_in_words(run: Run, owner: User, signed_in: SignedIn) -> None:
    query = urlencode([("label", f"k{number}={'ä' * 190}") for number in range(10)])
    answer = signed_in(owner).post("/runs/bulk/", {"action": "cancel", "all": "1", "query": query})
    assert answer.status_code == 400
    assert "too long for a bulk change" in answer.content.decode()
    assert not Run.objects.filter(job=NAME).exists()
