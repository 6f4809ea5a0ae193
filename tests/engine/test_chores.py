"""Chores of other apps: each in a thread of its own, again and again, whatever becomes of it or of the others."""

import logging
import threading
from datetime import timedelta

import pytest

from runs.maintenance import chores
from runs.maintenance.chores import add_chore, all_chores
from runs.worker.chores import Chores

EVERY = timedelta(milliseconds=5)


@pytest.fixture(autouse=True)
def _only_these(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "_chores", {})


@pytest.mark.django_db(transaction=True)
def test_one_that_hangs_or_fails_keeps_no_other_waiting(caplog: pytest.LogCaptureFixture) -> None:
    over, done, failures = threading.Event(), threading.Semaphore(0), threading.Semaphore(0)

    def fail() -> None:
        failures.release()
        raise RuntimeError("the server is away")

    add_chore("hangs", lambda: over.wait(30), every=EVERY)
    add_chore("fails", fail, every=EVERY)
    add_chore("works", done.release, every=EVERY)
    running = Chores()
    with caplog.at_level(logging.CRITICAL, "runs.worker.chores"):
        running.start()
        try:
            assert all(done.acquire(timeout=60) for _ in range(5))
            assert all(failures.acquire(timeout=60) for _ in range(3))
        finally:
            running.stop()
            over.set()
            for thread in threading.enumerate():
                if thread.name.startswith("chore-"):
                    thread.join(60)
                    assert not thread.is_alive()


def test_the_same_name_replaces() -> None:
    add_chore("one", lambda: 1, every=EVERY)
    add_chore("one", lambda: 2, every=EVERY)
    assert [chore.function() for chore in all_chores()] == [2]
