"""The browser for the tests: an installed Chromium, else Playwright's own, else Debian's package when root."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CACHE = Path(__file__).resolve().parent.parent.parent / ".cache" / "playwright"


class BrowserMissing(Exception):
    """No Chromium can be found or brought."""

    def __init__(self, tried: list[str]) -> None:
        super().__init__(
            "No Chromium: none is installed and none could be brought. Install it (Debian: `apt-get install chromium`) "
            "or let `python -m playwright install chromium` reach its download.\n" + "\n".join(tried)
        )


@functools.cache
def find_chromium() -> str:
    """The path of a Chromium that runs here, brought first when there is none. Raises BrowserMissing."""
    os.environ.setdefault("PLAYWRIGHT_BROWSERS_PATH", str(CACHE))
    tried: list[str] = []
    for look in (_installed, _downloaded, lambda: _download(tried), lambda: _from_debian(tried)):
        if found := look():
            return found
    raise BrowserMissing(tried)


def _installed() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def _downloaded() -> str | None:
    folder = Path(os.environ["PLAYWRIGHT_BROWSERS_PATH"])
    return next((str(path) for path in sorted(folder.glob("chromium-*/chrome-linux*/chrome"))), None)


def _download(tried: list[str]) -> str | None:
    ok = _run([sys.executable, "-m", "playwright", "install", "chromium"], tried)
    found = _downloaded() if ok else None
    # A downloaded browser still needs the system's libraries.
    return found if found and _run([found, "--version"], tried) else None


def _from_debian(tried: list[str]) -> str | None:
    if os.geteuid() or not shutil.which("apt-get"):
        tried.append("Debian's package needs root and apt-get.")
        return None
    for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-qy", "--no-install-recommends", "chromium"]):
        _run(command, tried)
    return _installed()


def _run(command: list[str], tried: list[str]) -> bool:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=600,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        tried.append(f"{' '.join(command)}: {exc}")
        return False
    if done.returncode:
        tried.append(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.returncode == 0
