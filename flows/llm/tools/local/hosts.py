"""A tool that reads from allowed hosts over HTTP."""

import http.client
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import SplitResult, urljoin, urlsplit

from pydantic import Field

from flows.llm.tools.conf import get_settings
from flows.llm.tools.definition import tool
from flows.llm.tools.errors import ToolRefused
from hitl.notify.outward import PrivateAddress, connection
from runs import clock

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_REDIRECTS: Final = 5
TOTAL_SECONDS: Final = 30.0
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Redirect:
    """To another address, which may be relative."""

    location: str


@dataclass(frozen=True, slots=True)
class Host:
    """An allowed host: `name`, `name:port`, or `*.name` for all names under it."""

    name: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> "Host":
        """Raises ValueError for what is none."""
        parts = urlsplit(f"//{text}")
        if not parts.hostname or "@" in text or parts.path or parts.query or parts.fragment:
            raise ValueError(f"{text!r} is no host")
        return cls(_plain(parts.hostname), parts.port)

    def fits(self, url: SplitResult) -> bool:
        port = url.port or _DEFAULT_PORTS[url.scheme]
        host = _plain(url.hostname or "")
        if port != (self.port or _DEFAULT_PORTS[url.scheme]):
            return False
        return host.endswith(self.name[1:]) if self.name.startswith("*.") else host == self.name


@tool
def http_get(url: Annotated[str, Field(max_length=4000)]) -> str:
    """Read a text from the web by GET. The first line holds the status, the type and the address that answered.

    Args:
        url: The address, with http or https.
    """
    for _ in range(MAX_REDIRECTS + 1):
        parts = _allowed(url)
        found = _get(parts, url)
        if isinstance(found, str):
            return found
        url = urljoin(url, found.location)
    raise ToolRefused(f"{url[:300]!r} redirects more than {MAX_REDIRECTS} times", "Use the address it leads to.")


def _plain(host: str) -> str:
    return host.rstrip(".").lower()


def _allowed(url: str) -> SplitResult:
    """Raises ToolRefused for an address that is malformed or of a host that is not allowed."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        plain = url.isascii() and url.isprintable() and not set(" \\") & set(url)
    except ValueError:
        fits = plain = False
    if not (fits and plain):
        raise ToolRefused(f"{url[:300]!r} is no http or https address", "Percent-encode it, and give no user name.")
    allowed = get_settings().hosts
    if not any(Host.parse(one).fits(parts) for one in allowed):
        raise ToolRefused(f"The host {parts.netloc[:200]!r} is not allowed", f"Allowed are: {', '.join(allowed)}.")
    return parts


def _get(parts: SplitResult, url: str) -> str | Redirect:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc, "User-Agent": "Perdure", "Accept-Encoding": "identity", "Accept": "*/*"}
    began_at = clock.monotonic()
    try:
        with connection(parts, allow_private=get_settings().allow_private, seconds=TOTAL_SECONDS) as opened:
            opened.request("GET", path, headers=headers)
            answer = opened.getresponse()
            location = answer.headers.get("Location")
            if location is not None and answer.status in (301, 302, 303, 307, 308):
                return Redirect(location)
            told = _told(answer, url.partition("#")[0])
    except PrivateAddress as exc:
        raise ToolRefused(str(exc).removesuffix("."), "Use an address outside of this network.") from exc
    if clock.monotonic() - began_at >= TOTAL_SECONDS:  # what was cut off may look like an end
        raise ToolRefused(f"{url[:300]!r} took longer than {TOTAL_SECONDS:g} s", "Try it later, or another address.")
    return told


def _told(answer: http.client.HTTPResponse, url: str) -> str:
    data = answer.read(MAX_BYTES)
    if b"\0" in data:
        raise ToolRefused("The answer is no text", "Use an address of a text.")
    try:
        text = data.decode(answer.headers.get_content_charset() or "utf-8", "replace")
    except LookupError:
        text = data.decode("utf-8", "replace")
    note = f"\n[only the first {MAX_BYTES} bytes were read]" if len(data) == MAX_BYTES and answer.read(1) else ""
    return f"[{answer.status} {answer.headers.get('Content-Type', '')} {url}]\n{text}{note}"
