"""Every page: anonymous people sign in first, strangers find nothing, members see."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from runs.models import Run

SignedIn = Callable[..., Client]
COMMON = ["/", "/runs/", "/jobs/", "/start/page-order/"]
OF_A_RUN = [
    "", "steps/", "log/", "questions/", "files/", "tree/", "audit/", "fork/", "cancel/", "pause/", "resume/", "retry/",
    "again/", "delete/", "signal/", "step/?name=one",
]  # fmt: skip
ACTIONS = ["cancel", "pause", "resume", "retry", "again", "signal", "delete", "fork"]


@pytest.mark.parametrize("path", COMMON)
def test_a_page_needs_sign_in_and_opens_for_a_member(path: str, member: User, signed_in: SignedIn) -> None:
    anonymous = Client().get(path)
    assert (anonymous.status_code, anonymous["Location"]) == (302, f"/sign-in/?next={path}")
    assert signed_in(member).get(path).status_code == 200


@pytest.mark.parametrize("path", OF_A_RUN)
def test_a_run_shows_to_its_team_and_does_not_exist_for_others(
    path: str, run: Run, member: User, stranger: User, signed_in: SignedIn, finish: Callable[..., Run]
) -> None:
    finish(run, steps=[{"name": "one", "output": 1}])
    address = f"/runs/{run.pk}/{path}"
    assert Client().get(address).status_code == 302
    assert signed_in(stranger).get(address).status_code == 404
    assert signed_in(member).get(address).status_code == 200


@pytest.mark.parametrize("action", ACTIONS)
def test_nobody_else_can_change_a_run(action: str, run: Run, stranger: User, signed_in: SignedIn) -> None:
    address = f"/runs/{run.pk}/{action}/"
    assert Client().post(address).status_code == 302
    assert signed_in(stranger).post(address).status_code == 404
    run.refresh_from_db()
    assert (run.status, Run.objects.count(), run.signals.count()) == ("queued", 1, 0)


def test_a_missing_run_looks_like_a_strangers_run(run: Run, stranger: User, signed_in: SignedIn) -> None:
    client = signed_in(stranger)
    missing = client.get("/runs/01939393-0000-7000-8000-000000000000/")
    others = client.get(f"/runs/{run.pk}/")
    assert missing.status_code == others.status_code == 404
    token = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"')
    assert token.sub(b"", missing.content) == token.sub(b"", others.content)


def test_lists_and_counts_hold_only_what_one_may_see(
    run: Run, member: User, stranger: User, administrator: User, signed_in: SignedIn
) -> None:
    for path in ("/", "/runs/"):
        assert str(run.pk) in signed_in(member).get(path).content.decode()
        assert str(run.pk) in signed_in(administrator).get(path).content.decode()
        assert str(run.pk) not in signed_in(stranger).get(path).content.decode()
    chips = signed_in(stranger).get("/runs/").context["chips"]
    assert {chip.count for chip in chips} == {0}


@pytest.mark.parametrize("action", ACTIONS)
def test_looking_at_the_address_of_an_action_does_nothing(
    action: str, run: Run, member: User, signed_in: SignedIn
) -> None:
    for query in ("", "?part"):
        assert signed_in(member).get(f"/runs/{run.pk}/{action}/{query}").status_code == 200
    run.refresh_from_db()
    assert (run.status, Run.objects.count()) == ("queued", 1)


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_a_page_that_only_shows_refuses_other_methods(method: str, member: User, signed_in: SignedIn) -> None:
    for path in ("/", "/runs/", "/jobs/"):
        assert getattr(signed_in(member), method)(path).status_code == 405


def test_actions_are_refused_without_a_csrf_token(run: Run, member: User, signed_in: SignedIn) -> None:
    client = signed_in(member, enforce_csrf_checks=True)
    for path in (*(f"/runs/{run.pk}/{action}/" for action in ACTIONS), "/start/page-nothing/"):
        refused = client.post(path)
        assert refused.status_code == 403
        assert "form is out of date" in refused.content.decode()
    run.refresh_from_db()
    assert (run.status, Run.objects.count()) == ("queued", 1)
