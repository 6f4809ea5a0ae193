"""What both clients send with every request, and when they try again."""

import time
from dataclasses import dataclass
from typing import Any

import httpx

from perdure_client.errors import ConnectionLost

READING = httpx.Timeout(30.0, read=90.0)
"""Of a stream, in seconds: one that is silent for longer is opened again, since its other end may be gone."""

TRIES = 4


@dataclass(frozen=True)
class Settings:
    base_url: str
    token: str
    timeout: float
    reconnect_for: float | None

    def options(self) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        return {"base_url": self.base_url, "headers": headers, "timeout": self.timeout}

    def patience(self) -> "Patience":
        return Patience(self.base_url, self.reconnect_for)

    def __repr__(self) -> str:
        return f"Settings({self.base_url!r}, token='***')"


class Patience:
    """How long a stream is tried again without anything new."""

    def __init__(self, base_url: str, seconds: float | None) -> None:
        self._base_url = base_url
        self._seconds = seconds
        self.renew()

    def renew(self) -> None:
        self._since = time.monotonic()

    def check(self, cause: Exception | None) -> None:
        """Raises ConnectionLost."""
        if self._seconds is not None and time.monotonic() - self._since > self._seconds:
            raise ConnectionLost(f"{self._base_url} was not reached for {self._seconds:g} s. Is it running?") from cause


def is_temporary(response: httpx.Response) -> bool:
    return response.status_code >= 500 or response.status_code == 429
