"""A real `manage.py worker` (or `qcluster`) for a test, with its processes by what they do."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tests.servers import processes
from tests.servers.installation import ROOT, Installation

ENDED = ("completed", "failed", "cancelled")


class WorkerTree(Installation):
    """An installation of which only the worker is started."""

    prefix: tuple[str, ...] = ()
    """The command that starts it with other rights than ours."""

    def __init__(self, *, postgresql: bool, **environment: str) -> None:
        super().__init__(postgresql=postgresql, **environment)
        self._console: subprocess.Popen[str] | None = None
        self._is_fresh = False

    def start_worker(self, command: str = "worker", *arguments: str) -> "WorkerTree":
        """Returns as soon as every driver drives runs: until then an idle process may be about to become one."""
        self.spawn(command, *arguments)
        drivers = int(self.environment.get("PERDURE_WORKERS", "1"))
        for slot in range(drivers):
            self.wait_for_line(f"Driver {slot} drives runs", within=120)
        # A busy machine runs a driver before its Sentinel has forked the idle process, the monitor and the pusher.
        self.wait_for(lambda: len(self._family()) >= drivers + 3, 60, "whole cluster")
        return self

    def spawn(self, command: str = "worker", *arguments: str) -> "WorkerTree":
        """Returns at once, whether it can work or not."""
        self._is_fresh = command == "worker" and not arguments
        self.lines = []
        self.process = subprocess.Popen(
            [*self.prefix, sys.executable, str(ROOT / "manage.py"), command, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._collect, args=(self.process,), daemon=True).start()
        return self

    def refresh(self) -> "WorkerTree":
        """A worker as after its start, whatever the test before did to it."""
        if not self._is_fresh or self.process is None or self.process.poll() is not None:
            if self.process is not None and self.process.poll() is None:
                self.stop()
            self.start_worker()
        return self

    def signal(self, pid: int, number: signal.Signals = signal.SIGKILL) -> None:
        """To one process of the tree."""
        self._is_fresh = False
        os.kill(pid, number)

    def kill_tree(self) -> None:
        """SIGKILL to every process of the worker at once; the console lives on."""
        processes.kill_all(self.tree())
        assert self.process is not None
        self.process.wait()

    # ------------------------------------------------------------------------------------ who is who
    def _pids(self, pattern: str) -> list[int]:
        found = [int(match.group(1)) for line in list(self.lines) if (match := re.search(pattern, line))]
        return [pid for pid in found if pid in processes.pids_with_environment("PERDURE_DATA_DIR", str(self.data_dir))]

    @property
    def top(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def drivers(self) -> list[int]:
        return self._pids(r"Driver \d+ drives runs \(pid (\d+)")

    @property
    def sentinel(self) -> int:
        return processes.parent_of(self.drivers[0])

    @property
    def idle(self) -> list[int]:
        """The processes for background tasks; before anything was killed, as the next two."""
        return [pid for pid in self._family()[:-2] if pid not in self.drivers]

    @property
    def monitor(self) -> int:
        return self._family()[-2]

    @property
    def pusher(self) -> int:
        return self._family()[-1]

    def _family(self) -> list[int]:
        """A Sentinel forks its workers first, then the monitor, then the pusher."""
        return processes.children_of(self.sentinel)

    def tree(self) -> list[int]:
        """Every living process of the worker; the console is none."""
        return [pid for pid in self.pids() if self._console is None or pid != self._console.pid]

    # ------------------------------------------------------------------------------------ asking
    def ask(self, name: str, *arguments: Any) -> Any:
        """Call a function of tests/worker/console.py."""
        if self._console is None:
            self._console = subprocess.Popen(
                [sys.executable, "-m", "tests.worker.console"],
                cwd=ROOT,
                env={**self.environment, "DJANGO_SETTINGS_MODULE": "perdure.settings"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._console.stdin is not None
        assert self._console.stdout is not None
        self._console.stdin.write(json.dumps([name, arguments]) + "\n")
        self._console.stdin.flush()
        answer = json.loads(self._console.stdout.readline())
        assert "error" not in answer, answer
        return answer["value"]

    def driver_of(self, run_id: str) -> int:
        """The pid of the process that holds the run's lease."""
        holder = self.ask("run", run_id)["lease_worker"]
        return next(int(row["pid"]) for row in self.ask("workers") if row["id"] == holder)

    def finish(self, run_id: str, within: float = 90) -> dict[str, Any]:
        """The run, once it has ended."""

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.ask("run", run_id)
            return found if found["status"] in ENDED else None

        return self.wait_for(look, within, f"end of run {run_id} ({self.ask('run', run_id)['status']})")

    def new_path(self) -> Path:
        """A file that is not there yet; tests of one file share the data directory."""
        return self.data_dir / f"lines-{os.urandom(4).hex()}"

    def run_through(self, within: float = 60, *, while_dying: bool = False) -> None:
        """A new run completes: the tree works. While drivers are dying, one of them may take the run up: the step
        that is under way then is called once more."""
        path = self.new_path()
        run_id = self.ask("start", "append-lines", {"path": str(path), "steps": 3, "pause_seconds": 0})
        assert self.finish(run_id, within)["status"] == "completed"
        lines = path.read_text().split()
        assert list(dict.fromkeys(lines)) == ["line-1", "line-2", "line-3"]
        assert len(lines) <= 3 + while_dying, lines

    def remove(self) -> list[int]:
        if self._console is not None:
            assert self._console.stdin is not None
            assert self._console.stdout is not None
            self._console.stdin.close()
            self._console.wait(20)
            self._console.stdout.close()
            self._console = None
        return super().remove()
