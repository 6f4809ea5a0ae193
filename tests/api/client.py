import json
from typing import Any

from django.test import Client


class ApiClient(Client):
    """Django's client with a token; bodies are sent as they are, so that a test can send what is not JSON."""

    def __init__(self, token: str | None, **defaults: Any) -> None:
        super().__init__(enforce_csrf_checks=True, **defaults)
        if token:
            self.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token}"

    def send(self, path: str, body: Any = None, *, content_type: str = "application/json", **headers: str) -> Any:
        """POST: bytes as they are, nothing as no body, anything else as JSON."""
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.generic("POST", path, raw, content_type=content_type if raw else "", **headers)


def error_of(response: Any, status: int, code: str) -> dict[str, Any]:
    """The error of a refusal, after checking that it has the one shape and says what to do."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"code", "message", "details"}
    assert body["error"]["code"] == code
    assert body["error"]["message"].endswith(".")
    error: dict[str, Any] = body["error"]
    return error
