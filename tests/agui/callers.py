"""Programs and browsers that call the doors of AG-UI: with a token, with a session, with nothing."""

import json
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from perdure.accounts.tokens import create_token


class Caller(Client):
    """Speaks JSON. With a user it brings a token of theirs; CSRF is checked as it is in production."""

    def __init__(self, user: User | None = None) -> None:
        super().__init__(enforce_csrf_checks=True)
        if user is not None:
            self.defaults["HTTP_AUTHORIZATION"] = f"Bearer {create_token(user, 'a test')}"

    def say(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.generic(method, path, data=_dumped(body), content_type="application/json", headers=headers)


def in_browser(user: User) -> tuple[Caller, dict[str, str]]:
    """A session, and the header that shows that its page knows the session's CSRF token."""
    caller = Caller()
    caller.force_login(user)
    caller.cookies["csrftoken"] = "a" * 32
    return caller, {"x-csrftoken": "a" * 32}


def _dumped(body: Any) -> str:
    return body if isinstance(body, str) else "" if body is None else json.dumps(body)
