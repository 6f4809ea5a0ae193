"""No vendor's SDK is imported before a client of that vendor is opened."""

import subprocess
import sys
from pathlib import Path

HEAVY = ("pydantic_ai", "openai", "anthropic", "httpx2")


def heard(code: str, folder: Path) -> list[set[str]]:
    """What of the heavy ones was loaded at each `tell()` of the program."""
    tell = f"import sys\ndef tell(): print(*[name for name in {HEAVY!r} if name in sys.modules])\n"
    environment = {"PERDURE_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "perdure.settings", "PATH": ""}
    command = [sys.executable, "-c", tell + code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [set(line.split()) for line in done.stdout.splitlines()]


def test_starting_django_imports_no_vendor(tmp_path: Path) -> None:
    assert heard("import django; django.setup(); import perdure.urls, perdure.asgi; tell()", tmp_path) == [set()]


def test_a_client_imports_its_own_vendor_and_the_scripted_one_none(tmp_path: Path) -> None:
    code = (
        "from providers.client import open_client; from providers.endpoint import Endpoint\n"
        "open_client(Endpoint(kind='scripted')); tell()\n"
        "open_client(Endpoint(kind='openai', base_url='http://localhost:1/v1')); tell()"
    )
    before, after = heard(code, tmp_path)
    assert before == set()
    assert "openai" in after
    assert "anthropic" not in after
