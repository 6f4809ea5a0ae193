from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from perdure.accounts import tokens
from perdure.accounts.models import ApiToken
from runs import clock
from tests.accounts.conftest import Later


def test_a_token_finds_its_user_and_is_kept_only_as_a_digest(alice: User) -> None:
    plain = tokens.create_token(alice, "ci")
    found = tokens.find_token(plain)
    assert found is not None
    assert found.user == alice
    stored = ApiToken.objects.values().get()
    assert plain not in str(stored)
    assert plain.startswith(stored["prefix"])
    assert plain.split("_", 2)[2] not in str(stored)


def test_tokens_carry_256_random_bits_and_fit_a_websocket_subprotocol(alice: User) -> None:
    plain = tokens.create_token(alice, "ci")
    assert len(plain.split("_", 2)[2]) == 43
    assert all(letter.isalnum() or letter in "-_" for letter in plain)


@pytest.mark.parametrize("plain", ["", "pdr_", "x" * 10_000, "pdr_00000000_\ud800", "\x00", "é"])
def test_what_is_no_token_is_refused(db: None, plain: str) -> None:
    with pytest.raises(tokens.TokenInvalid):
        tokens.check_token(plain)


def test_a_revoked_token_is_refused_at_once(alice: User) -> None:
    plain = tokens.create_token(alice, "ci")
    assert tokens.revoke(ApiToken.objects.all()) == 1
    assert tokens.revoke(ApiToken.objects.all()) == 0
    with pytest.raises(tokens.TokenRevoked):
        tokens.check_token(plain)


def test_a_token_is_refused_from_its_expiry_on(alice: User, later: type[Later]) -> None:
    plain = tokens.create_token(alice, "ci", clock.now() + timedelta(hours=1))
    later.by(minutes=59)
    assert tokens.find_token(plain)
    later.by(minutes=1)
    with pytest.raises(tokens.TokenExpired):
        tokens.check_token(plain)


def test_a_token_of_an_inactive_user_is_refused(alice: User) -> None:
    plain = tokens.create_token(alice, "ci")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(tokens.UserInactive):
        tokens.check_token(plain)
    assert tokens.find_token(plain) is None


def test_use_is_noted_at_most_once_a_minute(alice: User, later: type[Later]) -> None:
    plain = tokens.create_token(alice, "ci")
    tokens.find_token(plain)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    with CaptureQueriesContext(
        connection,
    ) as queries:
        tokens.find_token(plain)
    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]
    later.by(seconds=61)
    tokens.find_token(plain)
    assert ApiToken.objects.get().last_used_at > first


@pytest.mark.parametrize(
    ("header", "works"),
    [("Bearer {}", True), ("bearer  {} ", True), ("Basic {}", False), ("{}", False), ("", False), ("Bearer", False)],
)
def test_only_a_bearer_header_authenticates(alice: User, header: str, works: bool) -> None:
    plain = tokens.create_token(alice, "ci")
    assert tokens.authenticate_header(header.format(plain)) == (alice if works else None)


def test_the_command_prints_the_token_and_nothing_else(alice: User) -> None:
    out = StringIO()
    call_command("create_token", "alice", "--name", "ci", "--expires-in-days", "7", stdout=out)
    lines = out.getvalue().splitlines()
    assert len(lines) == 1
    token = tokens.find_token(lines[0])
    assert token is not None
    assert token.name == "ci"
    assert timedelta(days=6.9) < token.expires_at - clock.now() <= timedelta(days=7)


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (
            ["nobody", "--name", "ci"],
            "There is no active user 'nobody'. Make one in the admin or with createsuperuser.",
        ),
        (["alice", "--name", " "], "--name must have 1 to 100 letters. Name what will use the token."),
        (
            ["alice", "--name", "ci", "--expires-in-days", "0"],
            "--expires-in-days must be above 0 and at most 36500. Leave it out for no expiry.",
        ),
        (
            ["alice", "--name", "ci", "--expires-in-days", "nan"],
            "--expires-in-days must be above 0 and at most 36500. Leave it out for no expiry.",
        ),
    ],
)
def test_the_command_refuses_and_makes_nothing(alice: User, arguments: list[str], remedy: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("create_token", *arguments)
    assert str(refused.value) == remedy
    assert not ApiToken.objects.exists()
