"""A member of a team, a colleague, and a stranger, each with a token and a session."""

from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, User
from django.test import AsyncClient, Client

from perdure.accounts.tokens import create_token


class ApiClient(AsyncClient):
    """Sends the same headers with each request; Django's own option for that reaches the WSGI client only."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__()
        self._headers = headers

    async def generic(self, *args: Any, headers: dict[str, str] | None = None, **extra: Any) -> Any:
        return await super().generic(*args, headers=self._headers | (headers or {}), **extra)


@dataclass
class Person:
    user: User
    token: str
    session_key: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def client(self) -> AsyncClient:
        """A browser that is signed in."""
        client = AsyncClient()
        client.cookies["sessionid"] = self.session_key
        return client


def make_person(name: str, team: Group | None = None) -> Person:
    user = User.objects.create_user(name)
    if team is not None:
        user.groups.add(team)
    browser = Client()
    browser.force_login(user)
    key = browser.session.session_key
    assert key is not None
    return Person(user, create_token(user, "test"), key)


amake_person = sync_to_async(make_person)
