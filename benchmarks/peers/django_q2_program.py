"""Plain django-q2 on its ORM broker with the settings it comes with: this process enqueues, a cluster of two works."""

import os
import signal
import subprocess
import sys
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.core.management import call_command

from benchmarks.peers import moments
from benchmarks.peers.queueing import Queueing

MODULE = "benchmarks.peers.django_q2_program"


def trivial(task: int, path: str) -> int:
    moments.note(path, task, time.time())
    return task


def set_up(url: str) -> None:
    settings.configure(
        SECRET_KEY="for this measurement only", USE_TZ=True, INSTALLED_APPS=["django_q"],
        DATABASES={"default": database(url)}, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        Q_CLUSTER={"name": "bench", "orm": "default", "workers": 2, "timeout": 60, "retry": 120, "log_level": "ERROR"},
    )  # fmt: skip
    django.setup()


def database(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    host = parse_qs(parts.query).get("host", [parts.hostname])[0]
    return {
        "ENGINE": "django.db.backends.postgresql", "NAME": parts.path.lstrip("/"), "USER": parts.username,
        "PASSWORD": parts.password, "HOST": host, "PORT": parts.port,
    }  # fmt: skip


def main(url: str, role: str = "") -> None:
    set_up(url)
    if role:
        call_command("qcluster")
        return
    from django_q.tasks import async_task  # it needs the settings

    call_command("migrate", verbosity=0)
    command = [sys.executable, "-m", MODULE, url, "cluster"]
    cluster = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        Queueing(lambda task, path: async_task(f"{MODULE}.trivial", task, path)).answer()
    finally:
        os.killpg(cluster.pid, signal.SIGKILL)
        cluster.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
