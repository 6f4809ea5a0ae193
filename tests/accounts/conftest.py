from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from runs import clock


@pytest.fixture(autouse=True)
def _fast_passwords() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password="right-horse-battery")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", password="another-horse-staple")


class Later:
    @staticmethod
    def by(**delta: float) -> None:
        clock.move(timedelta(**delta))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> type[Later]:
    """`later.by(minutes=11)` moves the clock of the test forward."""
    monkeypatch.setattr(clock, "_offset", timedelta(0))
    return Later
