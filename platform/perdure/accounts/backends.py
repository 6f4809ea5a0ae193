from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from perdure.accounts.signin import SignInLimit


class LimitedBackend(ModelBackend):
    """Passwords, with a limit on failures. A backend and not a form, so that the admin's sign-in is limited as well."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if username is None or password is None:
            return None
        limit = SignInLimit(request, username)
        if not limit.take():
            raise PermissionDenied
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is not None:
            limit.give_back()
        return user
