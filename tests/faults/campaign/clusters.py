"""The worker trees of a campaign: real `manage.py worker`, each with a data directory, a database door and a clock."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.servers import processes

ROOT = Path(__file__).resolve().parent.parent.parent.parent
LEASE_SECONDS = 4.0
APP = "tests.faults.campaign.program_app"


class Cluster:
    """One worker tree. The lock is held by whoever starts or ends it."""

    def __init__(self, name: str, folder: Path, drivers: int, environment: dict[str, str]) -> None:
        self.name = name
        self.log = folder / f"worker-{name}.log"
        self.lock = threading.Lock()
        self._folder = folder / name
        self._folder.mkdir()
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("PERDURE_", "RUNS_"))},
            "PERDURE_APPS": APP,
            "PERDURE_DEMO": "false",
            "PERDURE_WORKERS": str(drivers),
            "RUNS_LEASE_SECONDS": str(LEASE_SECONDS),
            "RUNS_UNLOAD_AFTER": "0.5",
            "RUNS_MAX_CLAIMS": "50",  # so dense are the kills that a run may meet five before its first step
            "PYTHONFAULTHANDLER": "1",
            **environment,
            "PERDURE_DATA_DIR": environment.get("PERDURE_DATA_DIR", str(self._folder)),
            "PERDURE_CAMPAIGN_CLUSTER": str(self._folder),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **environment: str) -> None:
        """Further environment holds for this start."""
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "worker"],
                cwd=ROOT,
                env={**self._environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def top(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def pids(self) -> list[int]:
        """Every living process of the tree."""
        return processes.pids_with_environment("PERDURE_CAMPAIGN_CLUSTER", str(self._folder))

    def kill_top(self) -> None:
        """The kernel ends the rest."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.left_over()

    def kill_all(self) -> None:
        processes.kill_all(self.pids())
        assert self._process is not None
        self._process.wait()

    def left_over(self) -> list[int]:
        """Processes that outlive their top process by 5 s; they are killed."""
        left = processes.wait_until_gone("PERDURE_CAMPAIGN_CLUSTER", str(self._folder), 5)
        processes.kill_all(left)
        return left

    def terminate(self, within: float = 40) -> int | None:
        """SIGTERM; the exit code, or None when it did not end in time."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill_all()
            return None

    def dump_stacks(self) -> None:
        """Every process writes the stacks of its threads to the log."""
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGUSR1)
            except ProcessLookupError:
                continue
        time.sleep(1)

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
