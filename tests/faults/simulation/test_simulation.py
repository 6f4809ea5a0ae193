"""Simulated workers keep every promise, whatever befalls them; and what a seed gives, it gives again.

Each test is a process of its own, as `make simulate` is: its clock, ids and database stand in for the real ones.
"""

import subprocess
import sys

import pytest


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.faults.simulation", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def first_seed(on_postgresql: bool) -> int:
    """The database is SQLite in memory, whichever the suite runs on: each of its two runs has seeds of its own."""
    return 101 if on_postgresql else 1


def test_every_promise_is_kept_whatever_a_seed_brings(first_seed: int) -> None:
    done = simulate("--seeds", f"{first_seed}-{first_seed + 5}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 simulations" in done.stdout


def test_every_promise_is_kept_when_a_worker_dies_at_places_all_over_a_run(first_seed: int) -> None:
    done = simulate("--seed", str(first_seed + 8), "--each-place", "400")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dies before" in done.stdout


def test_a_seed_replays_exactly_the_same(first_seed: int) -> None:
    first, second = (simulate("--seed", str(first_seed + 9), "--trace") for _ in range(2))
    assert "run:complete" in first.stdout
    assert first.stdout.splitlines()[:-2] == second.stdout.splitlines()[:-2]  # all but how long it took
