"""HTTP goes to allowed hosts at public addresses, redirects included, and ends."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from flows.llm.tools import ToolRefused
from flows.llm.tools.local import hosts
from flows.llm.tools.local.hosts import Host, http_get
from tests.hitl.listeners import dripping_server


class Site:
    """What the server answers at each path: (status, headers, body)."""

    def __init__(self) -> None:
        self.at: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, str]] = []
        self.port = 0

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


@pytest.fixture
def site(settings: Any) -> Iterator[Site]:
    with serving() as served:
        settings.LLM_TOOL_HOSTS = [f"127.0.0.1:{served.port}", f"localhost:{served.port}"]
        settings.LLM_TOOL_ALLOW_PRIVATE = True
        yield served


@contextmanager
def serving() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append((self.headers["Host"], self.path))
            status, headers, body = site.at.get(self.path, (404, {}, b"nothing"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


def test_a_text_is_read_with_its_status_and_type(site: Site) -> None:
    site.at["/a?b=1"] = (200, {"Content-Type": "text/plain; charset=latin-1"}, "gr\u00fcn".encode("latin-1"))
    url = site.url("/a?b=1")
    assert http_get(f"{url}#part") == f"[200 text/plain; charset=latin-1 {url}]\ngr\u00fcn"
    assert http_get(site.url("/missing")).startswith("[404 ")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/", "file:///etc/passwd", "http://example.org/", "//127.0.0.1/", "http:///x", "http://[::1/",
        "http://127.0.0.1:{port}@example.org/", "http://user@127.0.0.1:{port}/", "http://127.0.0.1/",
        "http://127.0.0.1:{port}\\@example.org/", "http://127.0.0.1:{port}/a b", "http://127.0.0.1:{port}/\r\nX: y",
        "http://2130706433:{port}/", "http://127.1:{port}/", "http://127.0.0.1.example.org:{port}/", "http://127.0.0.1:x/",
    ],
)  # fmt: skip
def test_other_addresses_are_refused_before_anything_is_sent(site: Site, url: str) -> None:
    with pytest.raises(ToolRefused):
        http_get(url.replace("{port}", str(site.port)))
    assert site.asked == []


def test_an_allowed_name_of_a_private_address_is_refused(site: Site, settings: Any) -> None:
    settings.LLM_TOOL_ALLOW_PRIVATE = False
    for host in ("localhost", "127.0.0.1"):
        with pytest.raises(ToolRefused, match="has the private address"):
            http_get(site.url("/", host))
    assert site.asked == []


def test_a_name_that_changes_its_address_is_called_where_it_was_checked(
    site: Site, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LLM_TOOL_HOSTS = [f"rebinding.example:{site.port}"]
    settings.LLM_TOOL_ALLOW_PRIVATE = False
    looked_up, called = [], []

    def look_up(host: str, port: int, **_: object) -> list[Any]:
        looked_up.append(host)
        address = "93.184.216.34" if len(looked_up) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def call(address: tuple[str, int], *_: object) -> socket.socket:
        called.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr("hitl.notify.outward.socket.getaddrinfo", look_up)
    monkeypatch.setattr("hitl.notify.outward.socket.create_connection", call)
    with pytest.raises(ConnectionRefusedError):
        http_get(site.url("/", "rebinding.example"))
    assert (looked_up, called) == (["rebinding.example"], ["93.184.216.34"])


def test_redirects_are_followed_to_allowed_hosts_only(site: Site) -> None:
    site.at["/moved"] = (302, {"Location": "/there"}, b"")
    site.at["/there"] = (200, {}, b"arrived")
    site.at["/round"] = (307, {"Location": site.url("/round", "localhost")}, b"")
    assert http_get(site.url("/moved")).endswith("/there]\narrived")
    with pytest.raises(ToolRefused, match="more than 5 times"):
        http_get(site.url("/round"))
    assert len(site.asked) == 8
    for inside in ("http://169.254.169.254/latest", "http://10.0.0.1/", "file:///etc/passwd", "//example.org/x"):
        site.at["/moved"] = (301, {"Location": inside}, b"")
        with pytest.raises(ToolRefused, match=r"not allowed|no http"):
            http_get(site.url("/moved"))


def test_a_redirect_to_a_private_address_under_an_allowed_name_is_refused(
    site: Site, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LLM_TOOL_ALLOW_PRIVATE = False
    settings.LLM_TOOL_HOSTS = ["*.example"]
    monkeypatch.setattr(
        hosts, "_get", lambda parts, url: hosts.Redirect("http://in.example/") if "out" in url else real(parts, url)
    )
    addressed = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 80))]
    monkeypatch.setattr("hitl.notify.outward.socket.getaddrinfo", lambda *_, **__: addressed)
    with pytest.raises(ToolRefused, match=r"in\.example has the private address 10\.0\.0\.7"):
        http_get("http://out.example/")


real = hosts._get


def test_a_long_answer_is_cut_and_what_is_no_text_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "MAX_BYTES", 4)
    site.at["/long"] = (200, {}, b"abcdefgh")
    site.at["/exact"] = (200, {}, b"abcd")
    site.at["/image"] = (200, {}, b"\x89\0")
    assert http_get(site.url("/long")).endswith("]\nabcd\n[only the first 4 bytes were read]")
    assert http_get(site.url("/exact")).endswith("]\nabcd")
    with pytest.raises(ToolRefused, match="no text"):
        http_get(site.url("/image"))


def test_who_answers_a_byte_at_a_time_is_cut_off(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "TOTAL_SECONDS", 0.2)
    settings.LLM_TOOL_ALLOW_PRIVATE = True
    with dripping_server() as url:
        settings.LLM_TOOL_HOSTS = [url.split("/")[2]]
        with pytest.raises((ToolRefused, OSError, HTTPException)):
            http_get(url)
    for timer in [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]:
        timer.join(60)


@pytest.mark.parametrize(
    ("allowed", "url", "fits"),
    [
        ("example.org", "https://EXAMPLE.org./x", True), ("example.org", "http://example.org:80/", True),
        ("example.org", "http://example.org:8080/", False), ("example.org", "http://www.example.org/", False),
        ("*.example.org", "http://www.example.org/", True), ("*.example.org", "http://example.org/", False),
        ("*.example.org", "http://evilexample.org/", False), ("[::1]:8000", "http://[::1]:8000/", True),
    ],
)  # fmt: skip
def test_which_hosts_an_entry_allows(allowed: str, url: str, fits: bool) -> None:
    assert Host.parse(allowed).fits(hosts.urlsplit(url)) is fits


@pytest.mark.parametrize("text", ["", "http://example.org", "example.org/x", "a@b", "host:port"])
def test_what_is_no_host_is_not_taken(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Host.parse(text)
