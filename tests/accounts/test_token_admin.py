import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from perdure.accounts import tokens
from perdure.accounts.models import ApiToken, OneTimeLink, SignInWindow
from perdure.accounts.signin import SignInLimit, create_one_time_link
from runs.models import Audit

LIST = "/admin/accounts/apitoken/"


@pytest.fixture
def admin_page(db: None, client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


def test_a_token_made_in_the_admin_is_shown_once_and_works(admin_page: Client, alice: User) -> None:
    form = {"name": "ci", "user": alice.pk, "scope": "full", "expires_at_0": "", "expires_at_1": ""}
    page = html.unescape(admin_page.post(f"{LIST}add/", form, follow=True).content.decode())
    shown = re.search(r"pdr_[0-9a-f]{8}_[\w-]{43}", page)
    assert shown is not None
    token = tokens.find_token(shown[0])
    assert token is not None
    assert (token.user, token.name) == (alice, "ci")
    assert shown[0] not in admin_page.get(LIST).content.decode()
    note = Audit.objects.get()
    assert (note.action, note.target, note.actor_name, note.address) == (
        "token.create", token.prefix, "admin", "127.0.0.1",
    )  # fmt: skip
    assert note.data == {"name": "ci", "user": "alice", "scope": "full", "expires_at": None}
    assert shown[0] not in str(note.data)


def test_the_action_revokes(admin_page: Client, alice: User) -> None:
    plain = tokens.create_token(alice, "ci")
    form = {"action": "revoke_tokens", "_selected_action": [ApiToken.objects.get().pk]}
    page = admin_page.post(LIST, form, follow=True).content.decode()
    assert "1 revoked. Requests with them are refused from now on." in page
    with pytest.raises(tokens.TokenRevoked):
        tokens.check_token(plain)
    admin_page.post(LIST, form)
    notes = Audit.objects.order_by("id").values_list("action", "actor_kind", "actor_name", "target")
    prefix = ApiToken.objects.get().prefix
    assert list(notes) == [("token.create", "system", "", prefix), ("token.revoke", "user", "admin", prefix)]


def test_a_token_is_neither_changed_nor_deleted(admin_page: Client, alice: User) -> None:
    tokens.create_token(alice, "ci")
    pk = ApiToken.objects.get().pk
    assert admin_page.post(f"{LIST}{pk}/change/", {"name": "other", "user": alice.pk}).status_code == 403
    assert admin_page.post(f"{LIST}{pk}/delete/", {"post": "yes"}).status_code == 403
    page = admin_page.get(f"{LIST}{pk}/change/")
    assert page.status_code == 200
    assert ApiToken.objects.get().digest not in page.content.decode()
    assert ApiToken.objects.get().name == "ci"


def test_only_staff_with_the_right_sees_tokens(client: Client, alice: User) -> None:
    assert client.get(LIST).headers["Location"].startswith("/admin/login/")
    client.force_login(alice)
    assert client.get(LIST).headers["Location"].startswith("/admin/login/")
    User.objects.update(is_staff=True)
    assert client.get(LIST).status_code == 403


@pytest.mark.parametrize("model", [OneTimeLink, SignInWindow])
def test_what_sign_in_makes_is_shown_and_not_changed(admin_page: Client, alice: User, model: Any) -> None:
    create_one_time_link(alice)
    SignInLimit(None, "alice").take()
    address = f"/admin/accounts/{model._meta.model_name}/"
    page = admin_page.get(f"{address}{model.objects.all()[0].pk}/change/")
    assert (admin_page.get(address).status_code, page.status_code) == (200, 200)
    assert admin_page.get(f"{address}add/").status_code == 403
    assert OneTimeLink.objects.get().digest not in page.content.decode()
