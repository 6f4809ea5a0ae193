from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpRequest
from django.test import Client

from perdure.accounts.models import SignInWindow
from perdure.accounts.signin import FAILURES_PER_ADDRESS, FAILURES_PER_USER_AND_ADDRESS, SignInLimit
from tests.accounts.conftest import Later

RIGHT = {"username": "alice", "password": "right-horse-battery"}
WRONG = {"username": "alice", "password": "wrong"}


def test_the_page_signs_in_and_leads_on(alice: User, client: Client) -> None:
    page = client.get("/sign-in/", {"next": "/runs/?job=x"})
    assert page.status_code == 200
    assert b"csrfmiddlewaretoken" in page.content
    response = client.post("/sign-in/", RIGHT | {"next": "/runs/?job=x"})
    assert (response.status_code, response.headers["Location"]) == (302, "/runs/?job=x")


def test_sign_in_never_leads_away(alice: User, client: Client) -> None:
    response = client.post("/sign-in/", RIGHT | {"next": "https://evil.example/"})
    assert response.headers["Location"] == "/runs/"


@pytest.mark.parametrize("target", ["/sign-in/", "/sign-in/?next=/sign-in/"])
def test_sign_in_does_not_lead_to_itself(alice: User, client: Client, target: str) -> None:
    client.force_login(alice)
    assert client.get("/sign-in/", {"next": target}).headers["Location"] == "/runs/"


@pytest.mark.parametrize("name", ["\x00", "x" * 10_000, "", "\u202e"])
def test_a_name_that_cannot_be_one_is_refused(db: None, client: Client, name: str) -> None:
    assert client.post("/sign-in/", {"username": name, "password": "x"}).status_code == 200


def test_a_wrong_password_says_so_and_keeps_the_name(alice: User, client: Client) -> None:
    page = client.post("/sign-in/", WRONG).content.decode()
    assert "User name and password do not match." in page
    assert 'value="alice"' in page


def test_sign_in_needs_the_csrf_token(alice: User) -> None:
    assert Client(enforce_csrf_checks=True).post("/sign-in/", RIGHT).status_code == 403


def test_sign_out_is_by_post_alone(alice: User, client: Client) -> None:
    client.force_login(alice)
    assert client.get("/sign-out/").status_code == 405
    assert "_auth_user_id" in client.session
    assert client.post("/sign-out/").headers["Location"] == "/sign-in/"
    assert "_auth_user_id" not in client.session


def _fail(client: Client, times: int, path: str = "/sign-in/", **data: str) -> int:
    return [client.post(path, WRONG | data).status_code for _ in range(times)][-1]


def test_too_many_failures_close_the_door_even_to_the_right_password(
    alice: User, client: Client, later: type[Later]
) -> None:
    assert _fail(client, FAILURES_PER_USER_AND_ADDRESS - 1) == 200
    _fail(client, 2)
    response = client.post("/sign-in/", RIGHT)
    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 900
    assert "Too many sign-ins failed. Wait 15 minutes, then try again." in response.content.decode()
    later.by(minutes=15)
    assert client.post("/sign-in/", RIGHT).status_code == 302


def test_the_limit_is_for_one_name_at_one_address(alice: User, bob: User, client: Client) -> None:
    _fail(client, FAILURES_PER_USER_AND_ADDRESS + 1)
    assert client.post("/sign-in/", {"username": "bob", "password": "another-horse-staple"}).status_code == 302
    assert Client(REMOTE_ADDR="192.0.2.7").post("/sign-in/", RIGHT).status_code == 302


def test_the_admin_has_the_same_limit(alice: User, client: Client) -> None:
    User.objects.update(is_staff=True)
    _fail(client, FAILURES_PER_USER_AND_ADDRESS + 1, "/admin/login/")
    client.post("/admin/login/", RIGHT)
    assert "_auth_user_id" not in client.session


def test_success_forgets_the_failures(alice: User, client: Client) -> None:
    _fail(client, FAILURES_PER_USER_AND_ADDRESS - 1)
    assert client.post("/sign-in/", RIGHT).status_code == 302
    assert sum(SignInWindow.objects.values_list("failures", flat=True)) == FAILURES_PER_USER_AND_ADDRESS - 1
    assert _fail(Client(), FAILURES_PER_USER_AND_ADDRESS - 1) == 200


def test_one_address_cannot_try_name_after_name(db: None) -> None:
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = "192.0.2.9"
    tries = [SignInLimit(request, f"user{number}").take() for number in range(FAILURES_PER_ADDRESS + 1)]
    assert tries == [True] * FAILURES_PER_ADDRESS + [False]


@pytest.mark.django_db(transaction=True)
def test_tries_at_the_same_time_cannot_slip_past_the_limit() -> None:
    def take(_: int) -> bool:
        try:
            return SignInLimit(None, "alice").take()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(24))) == FAILURES_PER_USER_AND_ADDRESS
