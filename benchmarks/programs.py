"""A program that measures: another process, asked by a line of JSON and answering with one."""

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class Program:
    """Started at once, ended by `close`. Its standard error is ours, so what goes wrong is seen."""

    def __init__(self, *command: str, environment: dict[str, str] | None = None) -> None:
        self.command = command
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment or dict(os.environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, bufsize=1, start_new_session=True,
        )  # fmt: skip

    def ask(self, what: str, **arguments: Any) -> Any:
        """What the program's function of that name returns. Raises RuntimeError when the program has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"what": what, **arguments}) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith(ANSWER):
                return json.loads(line.removeprefix(ANSWER))
        raise RuntimeError(f"{' '.join(self.command)} ended with {self.process.wait()} while asked for {what}")

    def close(self) -> None:
        """End it: it leaves when its input ends; what is left of it and of its own processes after 20 s is killed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


ANSWER = "answer: "
