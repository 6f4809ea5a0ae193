"""Who calls a door of AG-UI: a Bearer token, which counts alone if there is one, or a session with its CSRF token."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from perdure.accounts.tokens import TokenError, TokenReadsOnly, bearer_of, check_token, find_token
from perdure.agui.errors import CsrfFailed, PermissionDenied, Unauthorized
from perdure.agui.tokens import user_of_token
from runs.jobs import Actor
from runs.live.access import Viewer
from runs.live.errors import NotSignedIn, TokenRefused


class AguiViewer(Viewer):
    """A viewer whose token may also be one of the environment's (`AG_UI_AUTH_TOKENS`)."""

    def user(self) -> Any:
        """The user as of now. Raises NotSignedIn or TokenRefused."""
        plain = bearer_of(self.authorization) if self.authorization is not None else None
        if plain and (found := user_of_token(plain)) is not None:
            return found
        return super().user()


class _Csrf(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason


def sign_in(request: HttpRequest) -> Any:
    """The user who calls. Raises Unauthorized, CsrfFailed for a session that changes things without its token, and
    PermissionDenied for a token that only reads where something may change."""
    viewer = AguiViewer.of_request(request)
    try:
        user = viewer.user()
        if request.method not in ("GET", "HEAD"):
            check_may_act(viewer)
    except (NotSignedIn, TokenRefused) as exc:
        raise Unauthorized(
            "The token is not valid (any more)." if isinstance(exc, TokenRefused) else "Nobody is signed in."
        ) from exc
    if viewer.authorization is None:
        _check_csrf(request)
    return user


def check_may_act(viewer: Viewer) -> None:
    """For who is signed in already. Raises PermissionDenied for a token that only reads, TokenRefused for one that was
    revoked a moment ago."""
    plain = bearer_of(viewer.authorization) if viewer.authorization is not None else None
    if not plain or user_of_token(plain) is not None:
        return
    try:
        check_token(plain)
    except TokenReadsOnly as exc:
        raise PermissionDenied(str(exc)) from exc
    except TokenError as exc:
        raise TokenRefused from exc


def actor_of(request: HttpRequest, user: Any) -> Actor:
    """As whom the audit knows the caller: a token of the admin by its name, else the user."""
    address = request.META.get("REMOTE_ADDR", "")
    plain = bearer_of(request.headers.get("Authorization", ""))
    token = find_token(plain, reading=True) if plain else None
    if token is None:
        return Actor.of(user, address=address)
    return Actor(kind="token", id=str(token.pk), name=f"{token} of {user}", address=address)


def _check_csrf(request: HttpRequest) -> None:
    """The views are exempt of the middleware, whose refusal would be a page; with a session they ask it here."""
    check = _Csrf(lambda _: HttpResponse())
    check.process_request(request)
    reason = check.process_view(request, lambda _: HttpResponse(), (), {})
    if reason:
        raise CsrfFailed(str(reason))
