"""One-time sign-in links and the limit on failed sign-ins."""

import hashlib
import secrets
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.contrib.auth.models import AbstractBaseUser, User
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from perdure.accounts.models import OneTimeLink, SignInWindow
from perdure.accounts.tokens import digest_of
from runs import clock

LINK_LIFETIME = timedelta(minutes=10)
WINDOW = timedelta(minutes=15)
FAILURES_PER_USER_AND_ADDRESS = 10
FAILURES_PER_ADDRESS = 100
"""Higher, because a whole office may share an address; it stops one password from being tried on every name."""


def create_one_time_link(user: AbstractBaseUser, next: str = "/") -> str:
    """The path `/sign-in/once/<token>/?next=...`, which signs `user` in once within 10 minutes.

    Raises ValueError when `next` is not a local path.
    """
    if not is_local(next):
        raise ValueError(f"{next!r} is not a path of this site; give one that begins with a single slash")
    plain, now = secrets.token_urlsafe(32), clock.now()
    OneTimeLink.objects.filter(expires_at__lt=now).delete()
    OneTimeLink.objects.create(user_id=user.pk, digest=digest_of(plain), created_at=now, expires_at=now + LINK_LIFETIME)
    return f"{reverse('sign-in-once', args=[plain])}?{urlencode({'next': next})}"


def use_one_time_link(plain: str) -> User | None:
    """The user of the link if it is unused and in time, else None. Of two requests with one link, one gets the user."""
    links = OneTimeLink.objects.filter(
        digest=digest_of(plain), used_at=None, expires_at__gt=clock.now(), user__is_active=True
    )
    link = links.select_related("user").first()
    # of its own columns only: a join becomes a subquery, which PostgreSQL does not look at again after a lock wait
    if link is None or not OneTimeLink.objects.filter(pk=link.pk, used_at=None).update(used_at=clock.now()):
        return None
    return link.user


def is_local(path: str) -> bool:
    """Whether `path` stays on this site."""
    return path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)


class SignInLimit:
    """The limit for one user name from one address, kept in the database: every web process counts together.

    A try is counted before the password is checked and given back when it was right, so a thousand tries at once
    cannot slip past the limit.
    """

    def __init__(self, request: HttpRequest | None, username: str) -> None:
        address = request.META.get("REMOTE_ADDR", "") if request else ""
        self._limits = {
            _key("user", username.casefold(), address): FAILURES_PER_USER_AND_ADDRESS,
            _key("address", address): FAILURES_PER_ADDRESS,
        }

    def take(self) -> bool:
        """Count a try; False when there were too many."""
        return all(_count(key) <= limit for key, limit in self._limits.items())

    def give_back(self) -> None:
        """The password was right: forget this user's failures here and the try at the address."""
        own, shared = self._limits
        SignInWindow.objects.filter(key=own).delete()
        SignInWindow.objects.filter(key=shared, failures__gt=0).update(failures=F("failures") - 1)

    def closed_until(self) -> datetime | None:
        """When the next try is allowed; None: now."""
        windows = SignInWindow.objects.filter(key__in=self._limits, ends_at__gt=clock.now())
        return max((row.ends_at for row in windows if row.failures >= self._limits[row.key]), default=None)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


def _count(key: str) -> int:
    now = clock.now()
    with transaction.atomic():
        SignInWindow.objects.filter(ends_at__lt=now - WINDOW).delete()
        SignInWindow.objects.get_or_create(key=key, defaults={"ends_at": now + WINDOW})
        row = SignInWindow.objects.filter(key=key)
        row.filter(ends_at__lte=now).update(failures=0, ends_at=now + WINDOW)
        # The update locks the row until the commit, so what is read next is this try's own number.
        row.update(failures=F("failures") + 1)
        return row.values_list("failures", flat=True).get()
