"""A real Perdure for a test: `manage.py up` on a data directory and a database of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.servers import databases, processes, templates

ROOT = Path(__file__).resolve().parent.parent.parent
T = TypeVar("T")


class Installation:
    """Started and stopped as often as a test wants; `remove()` at the end says whether a process was left over."""

    def __init__(self, *, postgresql: bool, new: bool = False, **environment: str) -> None:
        """Other arguments are environment variables. A `new` one makes its tables at its first start."""
        self.data_dir = Path(tempfile.mkdtemp(prefix="perdure-installation-"))
        self.database_url = self._make_database(postgresql, new)
        self.environment = self._make_environment(postgresql, environment)
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None
        self.base_url = ""

    def _make_database(self, postgresql: bool, new: bool) -> str | None:
        if postgresql:
            template = "template1" if new else templates.postgresql_template()
            return databases.create_database(databases.postgresql_url(), template)
        if not new:
            shutil.copy(templates.sqlite_template(), self.data_dir)
        return None

    def _make_environment(self, postgresql: bool, more: dict[str, str]) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PERDURE_", "RUNS_", "PYTEST_", "DATABASE_URL", "REDIS_URL"))
        }
        found = {**kept, "PERDURE_DATA_DIR": str(self.data_dir), "PERDURE_APPS": "tests.jobs_app"}
        if postgresql:
            found |= {
                "DATABASE_URL": str(self.database_url),
                "REDIS_URL": databases.redis_url(),
                "PERDURE_WORKERS": "2",
            }
        return {**found, **more}

    # ------------------------------------------------------------------------------------------- start and stop
    def start(self, *arguments: str, ready_within: float = 200) -> "Installation":
        """`manage.py up --port 0 --no-demo` (other arguments replace `--no-demo`), until it says `ready:`."""
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "up", "--port", "0", *(arguments or ("--no-demo",))],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._collect, args=(self.process,), daemon=True).start()
        self.base_url = self.wait_for_line(r"^ready: (http://\S+)", within=ready_within).rstrip("/")
        return self

    def _collect(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.lines.append(line.rstrip("\n"))

    def stop(self, within: float = 40) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within)

    def kill(self) -> None:
        """SIGKILL to the top process alone; the kernel ends the rest."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def kill_tree(self) -> None:
        """SIGKILL to every process of the tree at once."""
        processes.kill_all(self.pids())
        assert self.process is not None
        self.process.wait()

    def remove(self) -> list[int]:
        """End everything and remove the data; the pids that were left 5 s after the top process ended by SIGTERM."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.kill()
        left = processes.wait_until_gone("PERDURE_DATA_DIR", str(self.data_dir), 5)
        processes.kill_all(left)
        self.client.close()
        if self.database_url:
            databases.drop_database(databases.postgresql_url(), self.database_url)
        shutil.rmtree(self.data_dir, ignore_errors=True)
        return left

    # ------------------------------------------------------------------------------------------------- looking in
    def pids(self) -> list[int]:
        """Every living process of the tree."""
        return processes.pids_with_environment("PERDURE_DATA_DIR", str(self.data_dir))

    def wait_for_line(self, pattern: str, within: float = 90) -> str:
        """The first group of the first output line that matches (the whole line when there is no group)."""

        def find() -> str | None:
            for line in list(self.lines):
                if match := re.search(pattern, line):
                    return match.group(1) if match.re.groups else line
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}:\n" + self.log)
            return None

        return self.wait_for(find, within, f"a line that matches {pattern!r}")

    def wait_for(self, look: Callable[[], T | None], within: float, what: str) -> T:
        """What `look` returns, as soon as that is true."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(0.05)
        raise AssertionError(f"no {what} within {within:g} s. Log:\n{self.log}")

    @property
    def log(self) -> str:
        return "\n".join(self.lines[-200:])

    # -------------------------------------------------------------------------------------------------- using it
    def manage(self, *arguments: str, check: bool = True, timeout: float = 180) -> "subprocess.CompletedProcess[str]":
        """Run `manage.py` with the installation's settings."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check and done.returncode:
            raise AssertionError(f"manage.py {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
        return done

    @cached_property
    def token(self) -> str:
        """An API token of the administrator."""
        return self.manage("create_token", "admin", "--name", "tests").stdout.strip()

    @property
    def password(self) -> str:
        return (self.data_dir / "admin-password").read_text().strip()

    @property
    def one_time_link(self) -> str:
        """The sign-in link that the last start printed."""
        return self.wait_for_line(r"(http://\S+/sign-in/once/\S+)")

    @cached_property
    def client(self) -> httpx.Client:
        return httpx.Client(timeout=90, trust_env=False)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request as the administrator, by token; `path` begins with a slash."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.client.request(method, self.base_url + path, headers=headers, **options)

    def start_run(self, job: str, input: dict[str, Any], **fields: Any) -> str:
        """Start a run over REST; its id."""
        answer = self.request("POST", "/api/runs/", json={"job": job, "input": input, **fields})
        assert answer.status_code in (200, 201), f"{answer.status_code}: {answer.text}"
        return str(answer.json()["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        """The run as REST shows it."""
        answer = self.request("GET", f"/api/runs/{run_id}/")
        assert answer.status_code == 200, f"{answer.status_code}: {answer.text}"
        return dict(answer.json())

    def wait_for_status(self, run_id: str, *statuses: str, within: float = 90) -> dict[str, Any]:
        """The run, as soon as its status is one of these."""

        def look() -> dict[str, Any] | None:
            found = self.run(run_id)
            return found if found["status"] in statuses else None

        try:
            return self.wait_for(look, within, f"status {statuses} of run {run_id}")
        except AssertionError as exc:
            raise AssertionError(f"{exc}\nRun: {json.dumps(self.run(run_id), indent=1)}") from None

    def events(self, run_id: str, after: int = 0) -> list[dict[str, Any]]:
        """Every recorded event after that sequence, page by page."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self.request(
                "GET", f"/api/runs/{run_id}/events", params={"after": after}, headers={"Accept": "application/json"}
            )
            assert answer.status_code == 200, f"{answer.status_code}: {answer.text}"
            page = answer.json()["results"]
            if not page:
                return found
            found += page
            after = page[-1]["sequence"]
