"""API tokens: made once, kept as a digest, checked at every door by the same function."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, User
from django.db import transaction
from django.db.models import Q, QuerySet

from perdure.accounts.models import ApiToken, Scope
from runs import clock
from runs.jobs import SYSTEM, Actor, audit

_SCHEME = "pdr"
_TOUCH_EVERY = timedelta(minutes=1)
_MAX_LENGTH = 200


class TokenError(Exception):
    """Base of the reasons to refuse a token; `code` is stable and never tells more than its holder knows."""

    code: ClassVar[str] = "token_invalid"


class TokenInvalid(TokenError):
    def __init__(self) -> None:
        super().__init__("This API token is not valid. Send a whole, current token as 'Authorization: Bearer <token>'.")


class TokenExpired(TokenError):
    code = "token_expired"

    def __init__(self) -> None:
        super().__init__("This API token has expired. Make a new one in the settings or with `manage.py create_token`.")


class TokenRevoked(TokenError):
    code = "token_revoked"

    def __init__(self) -> None:
        super().__init__("This API token was revoked. Make a new one in the settings or with `manage.py create_token`.")


class UserInactive(TokenError):
    code = "user_inactive"

    def __init__(self) -> None:
        super().__init__("The user of this API token is not active. Ask an administrator to activate the user.")


class TokenReadsOnly(TokenError):
    code = "token_reads_only"

    def __init__(self) -> None:
        super().__init__("This API token may only read. Use one that may do everything, made in the settings.")


def create_token(
    user: AbstractBaseUser,
    name: str,
    expires_at: datetime | None = None,
    *,
    scope: str = Scope.FULL,
    actor: Actor = SYSTEM,
) -> str:
    """Make a token of `user` and return it in plain: the only time that it can be seen."""
    return issue_token(ApiToken(user_id=user.pk, name=name, expires_at=expires_at, scope=scope), actor)


def issue_token(token: ApiToken, actor: Actor) -> str:
    """Fill in and save an `ApiToken` that has its name, user and expiry; returns the plain token."""
    prefix = f"{_SCHEME}_{secrets.token_hex(4)}"
    plain = f"{prefix}_{secrets.token_urlsafe(32)}"
    token.prefix, token.digest, token.created_at = prefix, digest_of(plain), clock.now()
    with transaction.atomic():
        token.save()
        audit(actor, "token.create", prefix, _described(token))
    return plain


def digest_of(plain: str) -> str:
    """SHA-256 in hex. A fast hash is right here: 256 random bits cannot be guessed, unlike a password."""
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def check_token(plain: str, *, reading: bool = False) -> ApiToken:
    """The token with its user, if it may be used now; its use is noted at most once a minute.

    A door that changes nothing says so with `reading`: one that forgets it refuses tokens that only read, rather than
    letting them write. Raises TokenInvalid, TokenExpired, TokenRevoked, UserInactive or TokenReadsOnly.
    """
    token = None
    if len(plain) <= _MAX_LENGTH:
        token = ApiToken.objects.select_related("user").filter(digest=digest_of(plain)).first()
    if token is None:
        raise TokenInvalid
    if token.revoked_at is not None:
        raise TokenRevoked
    if token.expires_at is not None and token.expires_at <= clock.now():
        raise TokenExpired
    if not token.user.is_active:
        raise UserInactive
    if token.scope != Scope.FULL and not reading:
        raise TokenReadsOnly
    _touch(token)
    return token


def find_token(plain: str, *, reading: bool = False) -> ApiToken | None:
    """The token with its user if it may be used now, else None."""
    try:
        return check_token(plain, reading=reading)
    except TokenError:
        return None


def bearer_of(authorization: str) -> str | None:
    """The token in an Authorization header; None for another scheme or none. May be an empty string."""
    scheme, _, plain = authorization.strip().partition(" ")
    return plain.strip() if scheme.lower() == "bearer" else None


def authenticate_header(authorization: str) -> User | None:
    """The user behind an Authorization header with a valid token, else None. For the live doors, which only tell."""
    plain = bearer_of(authorization)
    token = find_token(plain, reading=True) if plain is not None else None
    return token.user if token else None


def living_tokens(user: AbstractBaseUser) -> QuerySet[ApiToken]:
    """Those of `user` that may be used now, the newest first."""
    in_time = Q(expires_at=None) | Q(expires_at__gt=clock.now())
    return ApiToken.objects.filter(in_time, user_id=user.pk, revoked_at=None)


def revoke(tokens: QuerySet[ApiToken], actor: Actor = SYSTEM) -> int:
    """Revoke every token of a queryset that is not yet; returns how many that were."""
    with transaction.atomic():
        found = list(tokens.filter(revoked_at=None).select_for_update(of=("self",)).select_related("user"))
        ApiToken.objects.filter(pk__in=[token.pk for token in found]).update(revoked_at=clock.now())
        for token in found:
            audit(actor, "token.revoke", token.prefix, _described(token))
    return len(found)


def _described(token: ApiToken) -> dict[str, str | None]:
    expires = token.expires_at.isoformat() if token.expires_at else None
    return {"name": token.name, "user": token.user.get_username(), "scope": token.scope, "expires_at": expires}


def _touch(token: ApiToken) -> None:
    now = clock.now()
    stale = now - _TOUCH_EVERY
    if token.last_used_at is None or token.last_used_at < stale:
        # Conditional: of many requests at the same time only one writes.
        ApiToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=stale), pk=token.pk).update(last_used_at=now)
