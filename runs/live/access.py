"""Who watches, asked anew while a stream is open: a revoked token, a closed session or a lost team ends it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.utils.module_loading import import_string

from runs.errors import RunNotFound
from runs.jobs import visible_runs
from runs.live.errors import NotSignedIn, TokenRefused
from runs.live.reads import Head, fetch_heads


@dataclass(frozen=True)
class Viewer:
    """What a connection brought: an Authorization header, which counts alone if there is one, or a session."""

    authorization: str | None = None
    session_key: str | None = None

    @classmethod
    def of_request(cls, request: HttpRequest) -> "Viewer":
        return cls(request.headers.get("Authorization"), request.session.session_key)

    @classmethod
    def of_scope(cls, scope: Mapping[str, Any]) -> "Viewer":
        """Of a WebSocket. A token by subprotocol was put into `scope["authorization"]`; browsers send a session."""
        session = scope.get("session")
        return cls(scope.get("authorization"), session.session_key if session is not None else None)

    @classmethod
    def of_token(cls, token: str) -> "Viewer":
        return cls(authorization=f"Bearer {token}")

    @property
    def brought_nothing(self) -> bool:
        return self.authorization is None and not self.session_key

    def user(self) -> Any:
        """The user as of now, read from the database. Raises NotSignedIn or TokenRefused."""
        if self.authorization is not None:
            user = import_string(settings.RUNS_AUTHENTICATOR)(self.authorization)
            if user is None:
                raise TokenRefused
            return user
        user = get_user(_request_with_session(self.session_key)) if self.session_key else None
        if user is None or not user.is_authenticated:
            raise NotSignedIn
        return user

    def head(self, run_id: UUID) -> Head:
        """Where the run stands, for somebody who may see it. Raises as `user`, and RunNotFound as for no run at all."""
        visible = visible_runs(self.user()).filter(id=run_id).exists()
        head = fetch_heads([run_id]).get(run_id) if visible else None
        if head is None:
            raise RunNotFound(run_id)
        return head

    def visible(self, run_ids: list[UUID]) -> set[UUID]:
        """Those of them that the viewer may see. Raises as `user`."""
        return set(visible_runs(self.user()).filter(id__in=run_ids).values_list("id", flat=True))


def _request_with_session(session_key: str | None) -> HttpRequest:
    """A session fresh from its store: the one of the connection is a copy from when it came."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return request


def parse_run_id(text: str) -> UUID:
    """Raises RunNotFound: an id that cannot be one is a run that does not exist."""
    try:
        return UUID(text)
    except ValueError:
        raise RunNotFound(text) from None
