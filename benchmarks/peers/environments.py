"""Virtual environments of the peers, under .cache/peers, made when they are first wanted."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".cache" / "peers"


def environment_for(program: str) -> Path:
    """The Python with what `requirements-<program>.txt` pins. Raises CalledProcessError when it cannot be installed."""
    wanted = _requirements(program)
    version = sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = CACHE / f"{program}-{version}"
    done = folder / "installed"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", str(wanted)], check=True, stdout=sys.stderr)
        done.touch()
    return folder / "bin/python"


def pins(program: str) -> list[str]:
    """What is installed for it, as `name==version`."""
    return _requirements(program).read_text().split()


def _requirements(program: str) -> Path:
    return HERE / f"requirements-{program.removesuffix('_program')}.txt"
