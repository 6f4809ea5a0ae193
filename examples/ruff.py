"""Ruff as a program: it reads a folder's own configuration and writes no file."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

from django.conf import settings

_SECONDS = 50
"""Less than a cancelled step is given to end."""

_EXCERPT = re.compile(r"^ *\d* *\|.*\n?", re.MULTILINE)
"""A configuration may name any file as its base, and ruff quotes the line that it cannot read there."""


class RuffMissing(Exception):
    def __init__(self) -> None:
        super().__init__(
            "Ruff is not installed beside Perdure, so its rules cannot be checked. Install it "
            "(`pip install ruff`, or `make install` in a checkout), then retry the run."
        )


class RuffFailed(Exception):
    def __init__(self, folder: str, said: str) -> None:
        super().__init__(
            f"Ruff could not check {folder!r}: {said}. Correct the folder's ruff configuration, or give a smaller "
            "folder or diff, and retry the run."
        )


def run_ruff(folder: str, *arguments: str, text: str = "") -> str:
    """What `ruff check` prints in this folder, with `text` as its standard input. Raises RuffMissing, RuffFailed.

    Perdure's data directory is left out: what runs wrote there may be a configuration that others thought up.
    """
    own = Path(settings.DATA_DIR).resolve()
    if Path(folder).resolve().is_relative_to(own):
        raise RuffFailed(folder, "it lies in Perdure's data directory")
    if importlib.util.find_spec("ruff") is None:
        raise RuffMissing
    # isolated: the folder may hold a ruff.py, which must not be what runs
    command = [sys.executable, "-I", "-m", "ruff", "check", "--no-cache", f"--extend-exclude={own}", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, input=text.encode(), capture_output=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired as exc:
        raise RuffFailed(folder, f"it took longer than {_SECONDS} s") from exc
    if done.returncode:
        raise RuffFailed(folder, _EXCERPT.sub("", done.stderr.decode(errors="replace")).strip()[-500:])
    return done.stdout.decode()
