"""Who calls a door of AG-UI: a Bearer token, which counts alone if there is one, or a session with its CSRF token."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from perdure.accounts.tokens import bearer_of, find_token
from perdure.agui.errors import CsrfFailed, Unauthorized
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
    """The user who calls. Raises Unauthorized, and CsrfFailed for a session that changes things without its token."""
    viewer = AguiViewer.of_request(request)
    try:
        user = viewer.user()
    except (NotSignedIn, TokenRefused) as exc:
        raise Unauthorized(
            "The token is not valid (any more)." if isinstance(exc, TokenRefused) else "Nobody is signed in."
        ) from exc
    if viewer.authorization is None:
        _check_csrf(request)
    return user


def actor_of(request: HttpRequest, user: Any) -> Actor:
    """As whom the audit knows the caller: a token of the admin by its name, else the user."""
    address = request.META.get("REMOTE_ADDR", "")
    plain = bearer_of(request.headers.get("Authorization", ""))
    token = find_token(plain) if plain else None
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
