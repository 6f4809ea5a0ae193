"""A token of the environment is a user without password or rights, made at its first use."""

import pytest
from django.contrib.auth.models import User

from perdure.agui.tokens import parse_token, user_of_token
from runs.models import Audit

pytestmark = pytest.mark.django_db

LONG = "a-token-that-nobody-guesses"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [("plain", ("ag-ui", "plain")), ("dora=plain", ("dora", "plain")), ("YWJj==", ("ag-ui", "YWJj=="))],
)
def test_an_entry_is_a_token_or_a_user_with_one(entry: str, expected: tuple[str, str]) -> None:
    assert parse_token(entry) == expected


def test_the_user_is_made_once_and_has_nothing(settings) -> None:
    settings.AG_UI_AUTH_TOKENS = (LONG,)
    user = user_of_token(LONG)
    assert user is not None
    assert user.get_username() == "ag-ui"
    has = [user.has_usable_password(), user.is_staff, user.is_superuser, user.groups.exists()]
    assert not any(has)
    assert user_of_token(LONG) == user
    assert Audit.objects.filter(action="user.create", target="ag-ui").count() == 1


def test_a_user_that_exists_is_that_user_while_active(settings) -> None:
    settings.AG_UI_AUTH_TOKENS = (LONG, f"dora={LONG}-2")
    dora = User.objects.create_user("dora", password="kept")
    assert user_of_token(f"{LONG}-2") == dora
    User.objects.filter(pk=dora.pk).update(is_active=False)
    assert user_of_token(f"{LONG}-2") is None
    assert User.objects.get(pk=dora.pk).check_password("kept")


@pytest.mark.parametrize("plain", ["", "wrong", LONG + "x", f"dora={LONG}", "\ud800", "ä" * 300])
def test_another_token_is_nobody_and_makes_nobody(settings, plain: str) -> None:
    settings.AG_UI_AUTH_TOKENS = (LONG,)
    assert user_of_token(plain) is None
    assert not User.objects.exists()


def test_without_tokens_nobody_gets_in() -> None:
    assert user_of_token("") is None
