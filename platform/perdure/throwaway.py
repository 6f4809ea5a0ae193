"""`manage.py flow test` works in an installation of its own, which is gone when it ends.

Settings are read from the environment once: this changes it before they are.
"""

import atexit
import functools
import os
import shutil
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path

CACHE = "PERDURE_FLOW_TEST_CACHE"
"""Names the folder where a migrated database is kept for the next call; it is set where the process is a throw-away."""

COMMAND = ["flow", "test"]

_OTHERS = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "PERDURE_WEBHOOK_URL", "PERDURE_PROVIDER_URL")


def enter(arguments: Sequence[str], data_dir: Path) -> None:
    """Where the command is `flow test`: a new data directory, and nothing that reaches what is in use elsewhere.

    `data_dir` is the real one where the environment names none.
    """
    if list(arguments[1:3]) != COMMAND or CACHE in os.environ:
        return
    real = Path(os.environ.get("PERDURE_DATA_DIR") or data_dir).expanduser().resolve()
    folder = tempfile.mkdtemp(prefix="perdure-flow-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, functools.partial(_leave, folder))
    for name in _OTHERS:
        os.environ.pop(name, None)
    os.environ.setdefault("PERDURE_LOG_LEVEL", "CRITICAL")
    os.environ |= {"PERDURE_DATA_DIR": folder, CACHE: str(real / "flow-test")}


def _leave(folder: str, number: int, frame: object) -> None:
    """At once: an ordinary exit would wait for the threads of a run that nobody wants any more."""
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(128 + number)
