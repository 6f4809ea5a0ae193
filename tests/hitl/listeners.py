"""A mail server and an HTTP server on loopback, real ones, that tell what they were sent."""

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class MailServer:
    """`refuses` addresses are answered with 550."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    def settings(self) -> dict[str, Any]:
        backend = "django.core.mail.backends.smtp.EmailBackend"
        return {"EMAIL_BACKEND": backend, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": self.port, "HITL_EMAIL": True}

    def to(self) -> list[str]:
        return sorted(message["To"] for message in self.messages)


@contextmanager
def mail_server(port: int = 0) -> Iterator[MailServer]:
    """SMTP as RFC 5321 asks of the least server, a thread per connection."""
    told = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 loopback")
            recipients: list[str] = []
            while line := self.rfile.readline().decode().strip():
                verb = line.split(":")[0].split(" ")[0].upper()
                if verb == "RCPT":
                    address = line.split("<")[1].split(">")[0]
                    if address in told.refuses:
                        self.say("550 nobody of that name")
                        continue
                    recipients.append(address)
                if verb == "DATA":
                    self.say("354 go on")
                    told.recipients += recipients
                    told.messages.append(self.message())
                if verb == "QUIT":
                    return self.say("221 bye")
                self.say("250 ok")

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

        def message(self) -> EmailMessage:
            lines = iter(self.rfile.readline, b".\r\n")
            raw = b"".join(line.removeprefix(b".") for line in lines)
            return email.message_from_bytes(raw, EmailMessage, policy=email.policy.default)

    with _Server(("127.0.0.1", port), Handler) as server, _serving(server):
        told.port = server.server_address[1]
        yield told


@dataclass
class Hook:
    """`statuses` are answered one after the other; then 200."""

    url: str = ""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@contextmanager
def hook_server(location: str = "") -> Iterator[Hook]:
    told = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(told.statuses.pop(0) if told.statuses else 200)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """The tests look at `requests`."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, _serving(server):
        told.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        yield told


@contextmanager
def dripping_server(first: bytes = b"HTTP") -> Iterator[str]:
    """Answers `first` and then a byte at a time, without end; its address."""
    over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(first)
            while not over.wait(0.02):
                try:
                    self.request.sendall(b"x")
                except OSError:
                    return

    with _Server(("127.0.0.1", 0), Handler) as server, _serving(server):
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        over.set()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
