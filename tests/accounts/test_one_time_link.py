from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from perdure.accounts.models import OneTimeLink
from perdure.accounts.signin import create_one_time_link, use_one_time_link
from tests.accounts.conftest import Later


def test_a_link_signs_in_once_and_leads_on(alice: User, client: Client) -> None:
    link = create_one_time_link(alice, "/runs/?status=failed")
    first = client.get(link)
    assert (first.status_code, first.headers["Location"]) == (302, "/runs/?status=failed")
    assert first.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in first.headers["Cache-Control"]
    assert client.session["_auth_user_id"] == str(alice.pk)
    other = Client()
    second = other.get(link)
    assert second.status_code == 410
    assert "_auth_user_id" not in other.session


def test_a_link_is_kept_only_as_a_digest(alice: User) -> None:
    plain = create_one_time_link(alice).split("/")[3]
    assert plain not in str(OneTimeLink.objects.values().get())


def test_a_link_ends_after_ten_minutes(alice: User, client: Client, later: type[Later]) -> None:
    link = create_one_time_link(alice)
    later.by(minutes=10)
    assert client.get(link).status_code == 410


def test_a_link_of_an_inactive_user_signs_nobody_in(alice: User, client: Client) -> None:
    link = create_one_time_link(alice)
    User.objects.update(is_active=False)
    assert client.get(link).status_code == 410


@pytest.mark.parametrize("headers", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}])
def test_a_prefetch_does_not_use_a_link_up(alice: User, client: Client, headers: dict[str, str]) -> None:
    link = create_one_time_link(alice)
    assert client.get(link, headers=headers).status_code == 503
    assert client.head(link).status_code == 405
    assert client.get(link).status_code == 302


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "runs/", "javascript:x"]
)
def test_a_link_never_leads_away(alice: User, client: Client, target: str) -> None:
    with pytest.raises(ValueError, match="not a path of this site"):
        create_one_time_link(alice, target)
    path = create_one_time_link(alice).split("?")[0]
    assert client.get(path, {"next": target}).headers["Location"] == "/"


@pytest.mark.django_db(transaction=True)
def test_of_many_uses_at_the_same_time_one_wins(django_user_model: type[User]) -> None:
    alice = django_user_model.objects.create_user("alice")
    plain = create_one_time_link(alice).split("/")[3]

    def use(_: int) -> bool:
        try:
            return use_one_time_link(plain) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(use, range(16))) == 1
