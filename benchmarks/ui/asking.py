"""What is asked of the list of runs, and how long the server says that it took."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import httpx

from benchmarks.perdure import Perdure
from benchmarks.rows import percentile

REQUESTS = 20
STATUSES = ("queued", "running", "waiting", "paused", "completed", "failed", "cancelled")
PLAIN = ("", "sort=oldest")
FILTERS = (
    "job=bench-job-7", "owner=person-3", "team=team-2", "label=env%3Dprod", "label=customer%3Dc77", "label=nothing",
    "since=5d&until=3d", "status=failed&job=bench-job-7&owner=person-3", "status=completed&team=team-2&since=2d",
)  # fmt: skip
FIGURES = (
    "column=tokens&column=cost", "sort=longest", "sort=tokens", "sort=cost", "sort=cost&job=bench-job-7",
    "sort=longest&label=customer%3Dc77", "sort=tokens&status=failed&since=5d", "sort=cost&since=1h",
)  # fmt: skip
TEXTS = ("q=order", "q=Look%20at%20order%20777", "q=not%20to%20be%20found", "status=failed&q=kind%203")
ADMINISTRATOR, MEMBER = "admin", "person-1"


class Reader:
    """Somebody who looks at the list."""

    def __init__(self, perdure: Perdure, name: str) -> None:
        self._client = httpx.Client(
            base_url=perdure.installation.base_url, cookies={"sessionid": perdure.ask("sign_in", name=name)},
            timeout=120, trust_env=False,
        )  # fmt: skip

    def slowest(self, queries: Iterable[str]) -> float:
        """Milliseconds: of each query's requests the 95th percentile, and the largest of these."""
        return max(percentile([self._ask(query) for _ in range(REQUESTS)], 95) for query in queries)

    def pages_behind(self, query: str = "") -> list[str]:
        """The query of the tenth page of the list."""
        for _ in range(9):
            found = re.search(r'rel="next" href="\?([^"]+)"', self._client.get(f"/runs/?{query}").text)
            if found is None:
                break
            query = found[1].replace("&amp;", "&")
        return [query]

    def one_cause(self) -> list[str]:
        """The query of the failures that are like the newest one, as the home page links it."""
        found = re.search(r"fingerprint=([0-9a-f]+)", self._client.get("/").text)
        return [f"status=failed&fingerprint={quote(found[1])}"] if found else []

    def _ask(self, query: str) -> float:
        answer = self._client.get(f"/runs/?{query}")
        assert answer.status_code == 200, f"{answer.status_code} for {query}"
        return server_milliseconds(answer.headers)

    def close(self) -> None:
        self._client.close()


def server_milliseconds(headers: Any) -> float:
    """What `Server-Timing` says. Raises ValueError where it says nothing."""
    found = re.search(r"\bapp;dur=([\d.]+)", headers.get("Server-Timing", ""))
    if found is None:
        raise ValueError("The answer has no Server-Timing of the app. Is `perdure.timing.server_timing` in MIDDLEWARE?")
    return float(found[1])
