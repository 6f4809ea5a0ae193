from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from perdure.accounts.models import ApiToken
from perdure.accounts.tokens import TokenError, TokenReadsOnly, bearer_of, check_token


class InsufficientScope(AuthenticationFailed):
    """As RFC 6750 wants it: 403, and still a challenge, since another token would do."""

    status_code = 403


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`. `request.auth` is the ApiToken.

    401 names why a token was refused, 403 that it only reads.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        plain = bearer_of(request.headers.get("Authorization", ""))
        if plain is None:
            return None
        try:
            token = check_token(plain, reading=request.method in SAFE_METHODS)
        except TokenReadsOnly as exc:
            raise InsufficientScope(str(exc), code=exc.code) from exc
        except TokenError as exc:
            raise AuthenticationFailed(str(exc), code=exc.code) from exc
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="perdure"'


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # no types
    """How the OpenAPI document names it; found by being imported."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API token, made in the settings."}
