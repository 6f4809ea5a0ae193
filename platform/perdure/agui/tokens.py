"""Tokens from the environment (`AG_UI_AUTH_TOKENS`): a frontend's server gets in without an account made by hand.

They count at the doors of AG-UI alone. Tokens that are made in the admin work there too, and everywhere else.
"""

import hmac

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from perdure.agui.conf import get_settings
from runs.jobs import SYSTEM, audit

DEFAULT_USER = "ag-ui"


def parse_token(entry: str) -> tuple[str, str]:
    """The user's name and the token of one entry: `user=token`, or a token alone, which may end in `=` as base64."""
    name, _, token = entry.partition("=")
    return (name.strip(), token.strip()) if token.strip("= ") else (DEFAULT_USER, entry)


def user_of_token(plain: str) -> User | None:
    """The active user of a token of the environment, made at its first use without password or rights; else None."""
    name = _name_of(plain)
    if name is None:
        return None
    user = User.objects.filter(username=name).first() or _make(name)
    return user if user.is_active else None


def _name_of(plain: str) -> str | None:
    given = plain.encode("utf-8", "surrogatepass")
    found = None
    # All are compared, each in constant time: how long it takes tells nothing about any of them.
    for name, token in map(parse_token, get_settings().auth_tokens):
        if hmac.compare_digest(token.encode("utf-8", "surrogatepass"), given):
            found = name
    return found


def _make(name: str) -> User:
    try:
        with transaction.atomic():
            user = User.objects.create_user(name)
            audit(SYSTEM, "user.create", name, {"by": "AG_UI_AUTH_TOKENS"})
    except IntegrityError:  # another request made it meanwhile
        return User.objects.get(username=name)
    return user
