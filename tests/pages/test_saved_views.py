"""Filtered lists under a name: one's own, or a team's; what is kept is a filter and nothing else."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from perdure.dashboard.models import SavedView
from perdure.dashboard.run_list import saved_views
from runs.models import Audit

SignedIn = Callable[..., Client]


def save(client: Client, name: str = "Mine", query: str = "status=failed&since=24h", **more: str) -> int:
    return client.post("/runs/views/", {"name": name, "query": query, **more}).status_code


def names(client: Client) -> list[str]:
    return [view.name for view in client.get("/runs/").context["views"]]


def test_a_view_is_kept_and_opened_again(owner: User, member: User, signed_in: SignedIn) -> None:
    client = signed_in(owner)
    assert save(client) == 302
    view = SavedView.objects.get()
    page = client.get(f"/runs/?{view.query}")
    assert page.context["wanted"].statuses == ("failed",)
    assert 'aria-current="page"' in page.content.decode().split("Saved views")[1][:200]
    assert names(signed_in(member)) == []
    assert Audit.objects.filter(action="view.save", target="Mine").exists()


def test_a_teams_view_is_for_its_members(owner: User, member: User, stranger: User, signed_in: SignedIn) -> None:
    assert save(signed_in(owner), team="builders") == 302
    assert names(signed_in(member)) == ["Mine"]
    assert names(signed_in(stranger)) == []
    assert save(signed_in(stranger), team="builders") == 400
    address = f"/runs/views/{SavedView.objects.get().pk}/delete/"
    assert signed_in(stranger).post(address).status_code == 404
    assert Client().post(address).status_code == 302
    assert signed_in(member).get(address).status_code == 405
    assert signed_in(member).post(address).status_code == 302
    assert not SavedView.objects.exists()


def test_the_same_name_replaces(owner: User, signed_in: SignedIn) -> None:
    client = signed_in(owner)
    for query in ("status=failed", "status=waiting"):
        save(client, query=query)
    assert [view.query for view in SavedView.objects.all()] == ["status=waiting"]


def test_only_filters_are_kept_of_what_is_sent(owner: User, signed_in: SignedIn) -> None:
    save(signed_in(owner), query='status=failed&before=x&next=//evil.example&q="><script>&csrf=1')
    assert SavedView.objects.get().query == "q=%22%3E%3Cscript%3E&status=failed"
    page = signed_in(owner).get("/runs/").content.decode()
    assert "evil.example" not in page
    assert "<script>&" not in page


@pytest.mark.parametrize(
    "form",
    [{"name": ""}, {"name": "x" * 61}, {"query": "status=sleeping"}, {"query": "q=" + "x" * 300}, {"team": "none"}],
)
def test_what_cannot_be_kept_is_refused(form: dict[str, str], owner: User, signed_in: SignedIn) -> None:
    given = {"name": "Mine", "query": ""} | form
    assert signed_in(owner).post("/runs/views/", given).status_code == 400
    assert not SavedView.objects.exists()


def test_nobody_keeps_views_without_end(owner: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MOST", 1)
    client = signed_in(owner)
    save(client, name="one")
    save(client, name="two")
    assert names(client) == ["one"]


def test_saving_takes_a_post_and_a_csrf_token(owner: User, signed_in: SignedIn) -> None:
    assert save(Client()) == 302
    assert signed_in(owner).get("/runs/views/").status_code == 405
    assert save(signed_in(owner, enforce_csrf_checks=True)) == 403
    assert not SavedView.objects.exists()
