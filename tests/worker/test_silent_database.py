"""A database that says nothing at all: its connections were forgotten on their way."""

import subprocess
import sys


def test_a_process_that_waits_too_long_for_an_answer_shows_where_and_ends() -> None:
    code = "import time; from runs.worker.patience import patience\nwith patience(0.3): time.sleep(60)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "most recent call first" in done.stderr


def test_an_answer_in_time_ends_nothing() -> None:
    waits = "with patience(0.5): pass"
    code = f"import time; from runs.worker.patience import patience\n{waits}\ntime.sleep(1); print('lives')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "lives\n")
