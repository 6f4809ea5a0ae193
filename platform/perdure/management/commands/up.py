"""`manage.py up`: the web server and a worker, in one tree of processes, ready to use."""

import http.client
import os
import signal
import socket
import sys
import threading
import time
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.urls import reverse

from perdure import first_start
from perdure.accounts.signin import create_one_time_link
from perdure.supervisor import Child, announce, say, stop_all
from perdure.tied import die_with_parent
from runs import clock
from runs.conf import get_settings
from runs.models import Worker

GIVE_UP_AFTER_FAILURES = 5
HANDSHAKE_SECONDS = "20"
"""Daphne's own 5 s are soon over on a busy machine when hundreds of sockets come back at once."""
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


class Command(BaseCommand):
    help = "Start everything: tables, the first administrator, the web server and a worker. Ctrl-C stops it."
    # A first start has no tables yet, and the checks of the children cover the rest.
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        host, port = settings.ENVIRONMENT.bind_addr
        parser.add_argument("--host", default=host, help="Address to listen on (default: %(default)s).")
        parser.add_argument("--port", type=int, default=port, help="Port; 0 takes a free one (default: %(default)s).")
        parser.add_argument("--no-demo", action="store_true", help="Do not start the example job at the first start.")
        parser.add_argument("--tied", action="store_true", help="End when the process that started this one ends.")

    def handle(self, *args: Any, host: str, port: int, no_demo: bool, tied: bool, **options: Any) -> None:
        if tied:
            die_with_parent(os.getppid())
        stop, hurry = _stop_by_signal()
        with _listen(host, port) as listener:
            address = (WILDCARDS.get(host, host), listener.getsockname()[1])
            url = f"http://{f'[{address[0]}]' if ':' in address[0] else address[0]}:{address[1]}"
            _tell_children(host, url)
            web, worker = children = [_web(listener), _worker()]
            try:
                # It loads while the tables are made; nobody knows its address yet.
                web.start()
                first_start.migrate()
                user = first_start.first_administrator()
                known = set(Worker.objects.values_list("id", flat=True))
                worker.start()
                if _wait_until_ready(children, address, known, stop):
                    run = None if no_demo else first_start.start_demo(user)
                    self._welcome(url, reverse("dashboard:run", args=[run.id]) if run else "/", user, bool(run))
                    connections.close_all()
                    _watch(children, stop)
            finally:
                say("stopping")
                stop_all(children, hurry)
        say("stopped")

    def _welcome(self, url: str, page: str, user: Any, demo: bool) -> None:
        link = create_one_time_link(user, next=page)
        announce(f"ready: {url}")
        say(f"sign in once, within 10 minutes: {url}{link}")
        say(f"or as {first_start.ADMINISTRATOR}, with the password in {first_start.password_file()}")
        if demo:
            say(f"{first_start.DEMO_JOB} is running; watch it: {url}{page}")


def _stop_by_signal() -> tuple[threading.Event, threading.Event]:
    """Events for the first SIGTERM, Ctrl-C or hang-up (drain) and for the second one (now)."""
    stop, hurry = threading.Event(), threading.Event()

    def on_signal(number: int, frame: object) -> None:
        (hurry if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # else it was started to outlive its terminal
        signal.signal(signal.SIGHUP, on_signal)
    return stop, hurry


def _listen(host: str, port: int) -> socket.socket:
    """The socket is made here, so that a web server that is started again keeps the port and its callers."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as exc:
        raise CommandError(
            f"Cannot listen on {host}:{port}: {exc.strerror}. Stop what uses it, or choose another with --port N."
        ) from exc


def _tell_children(host: str, url: str) -> None:
    os.environ.setdefault("PERDURE_BASE_URL", url)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "perdure.settings")
    if host in WILDCARDS and "PERDURE_ALLOWED_HOSTS" not in os.environ:
        say("other machines are refused until PERDURE_ALLOWED_HOSTS names this one")
    elif host not in settings.ALLOWED_HOSTS and "PERDURE_ALLOWED_HOSTS" not in os.environ:
        os.environ["PERDURE_ALLOWED_HOSTS"] = ",".join([*settings.ALLOWED_HOSTS, host])


def _web(listener: socket.socket) -> Child:
    options = ["-v", "0", "--fd", str(listener.fileno()), "--application-close-timeout", "5"]
    options += ["--websocket_connect_timeout", HANDSHAKE_SECONDS]
    command = [sys.executable, "-m", "daphne", *options, "perdure.asgi:application"]
    return Child("web", command, stop_within=10, keep_open=(listener.fileno(),))


def _worker() -> Child:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker"]
    return Child("worker", command, stop_within=get_settings().drain_seconds + 10)


def _wait_until_ready(children: list[Child], address: tuple[str, int], known: set[UUID], stop: threading.Event) -> bool:
    """True when requests are answered and a worker of this tree lives; False when it was stopped before."""
    tell_at = time.monotonic() + 15
    while not stop.is_set():
        for child in children:
            child.restart_if_dead()
            if child.failures >= GIVE_UP_AFTER_FAILURES:
                raise CommandError(f"{child.name} cannot start; its last lines above say why.")
        if _answers(address) and _has_worker(known):
            return True
        if time.monotonic() > tell_at:
            say("still waiting for the web server and a worker")
            tell_at += 15
        stop.wait(0.2)
    return False


def _answers(address: tuple[str, int]) -> bool:
    connection = http.client.HTTPConnection(*address, timeout=5)
    try:
        connection.request("GET", "/livez", headers={"Host": _allowed_host()})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _allowed_host() -> str:
    first = next(iter(settings.ALLOWED_HOSTS), "localhost")
    return "localhost" if first == "*" else first.lstrip(".")


def _has_worker(known: set[UUID]) -> bool:
    """A row of an earlier tree may look alive until its lease ends, so only a new one counts."""
    try:
        return Worker.objects.filter(expires_at__gt=clock.sql_now()).exclude(id__in=known).exists()
    finally:
        connections.close_all()


def _watch(children: list[Child], stop: threading.Event) -> None:
    while not stop.wait(0.2):
        for child in children:
            child.restart_if_dead()
