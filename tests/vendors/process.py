"""The fake vendor as a process: start it, script it, and ask what it saw."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.vendors.script import Script

ROOT = Path(__file__).resolve().parents[2]


class FakeVendor:
    """Started by `start` or `with FakeVendor() as vendor`; ends with `stop`, and with the process that started it."""

    url: str

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        """Again on the same port, after `stop`. Raises: RuntimeError where it does not come up."""
        command = [sys.executable, "-m", "tests.vendors", "--port", str(self.port), "--tied"]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        line = process.stdout.readline()
        self._process = process
        if not line.startswith("ready: "):
            self.stop()
            raise RuntimeError(f"the fake vendor did not start: exit code {process.returncode}, said {line!r}")
        self.url = line.removeprefix("ready: ").strip()
        self.port = int(self.url.rpartition(":")[2])
        return self

    def stop(self) -> None:
        """Connections end at once; scripts and counts are gone."""
        if self._process:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe
                pipe.close()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        return self.url

    @property
    def ollama_url(self) -> str:
        """Ollama's own wire is at `/api/...` below it, OpenAI's as Ollama speaks it at `/v1/...`."""
        return f"{self.url}/ollama"

    def script(self, rules: Sequence[dict[str, Any]], *, append: bool = False) -> None:
        """What to answer from now on. Raises: pydantic.ValidationError, naming the key that is wrong."""
        Script.read(list(rules))
        self._ask("script", {"rules": list(rules), "append": append})

    def open(self, gate: str) -> None:
        """Let the answers on that wait at this gate, and all that will come to it."""
        self._ask("open", {"gate": gate})

    def calls(self, *, after: int = 0, **equal: Any) -> list[dict[str, Any]]:
        """The calls since the reset, after number `after`, of which these keys are as given: `calls(model="m")`."""
        found: list[dict[str, Any]] = self._ask(f"calls?after={after}")
        return [call for call in found if all(call[key] == value for key, value in equal.items())]

    def stats(self) -> dict[str, Any]:
        """`calls, now, most_at_once, outcomes, models {name: the same}, repeated [[numbers]]`."""
        return dict(self._ask("stats"))

    def reset(self) -> None:
        """Forget the script and all calls; open the gates that are waited at."""
        self._ask("reset", {})

    def wait_until(self, condition: Callable[[dict[str, Any]], bool], seconds: float = 60) -> dict[str, Any]:
        """The stats for which the condition holds. Raises: TimeoutError, telling the last stats."""
        deadline = time.monotonic() + seconds
        while not condition(stats := self.stats()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {seconds} s: {stats}")
            time.sleep(0.02)
        return stats

    def _ask(self, name: str, data: Any = None) -> Any:
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(f"{self.url}/_control/{name}", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)
