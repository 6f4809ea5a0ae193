"""Leases belong to processes: registered, renewed, ended at once for the dead, and by time for a lost host."""

import asyncio
import os
import subprocess
import sys
import time
from datetime import timedelta
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import override_settings

from runs import clock
from runs.engine import leases
from runs.events.doorbell import Doorbell
from runs.models import RunStatus, Worker
from runs.worker.lease import Lease
from runs.worker.pids import is_alive, start_time
from tests.live.logs import amake_run

MINE = [("countdown", "1")]


def _alive() -> set[UUID]:
    return set(Worker.objects.filter(expires_at__gt=clock.sql_now()).values_list("id", flat=True))


@pytest.mark.django_db
def test_a_registered_worker_tells_who_it_is() -> None:
    worker = leases.register_worker(start_time(os.getpid()), MINE, "1.2.3")
    row = Worker.objects.get()
    assert (row.id, row.pid, row.version, row.jobs) == (worker, os.getpid(), "1.2.3", [["countdown", "1"]])
    assert is_alive(row.pid, row.pid_start)
    assert timedelta(seconds=29) < row.expires_at - row.seen_at <= timedelta(seconds=31)


@pytest.mark.django_db
def test_renewing_prolongs_the_lease_and_tells_of_a_lost_row() -> None:
    worker = leases.register_worker("", MINE)
    before = Worker.objects.get().expires_at
    assert leases.renew(worker)
    assert Worker.objects.get().expires_at > before
    leases.give_up(worker)
    assert not leases.renew(worker)


@pytest.mark.django_db
def test_the_lease_of_a_dead_process_ends_at_once() -> None:
    mine = leases.register_worker(start_time(os.getpid()), MINE)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = leases.register_worker("", MINE)
    Worker.objects.filter(pk=dead).update(pid=ended.pid)
    assert leases.expire_dead(is_alive) == 1
    assert _alive() == {mine}
    assert leases.expire_dead(is_alive) == 0


@pytest.mark.django_db
def test_a_pid_that_was_given_to_another_process_is_dead() -> None:
    leases.register_worker("12345", MINE)
    assert leases.expire_dead(is_alive) == 1
    assert _alive() == set()


@pytest.mark.django_db
def test_pids_of_another_host_are_not_judged() -> None:
    lost = leases.register_worker("", MINE)
    Worker.objects.filter(pk=lost).update(host_id="another", pid=2**22 + 1)
    assert leases.expire_dead(is_alive) == 0
    assert _alive() == {lost}


@pytest.mark.django_db
def test_rows_that_ended_long_ago_are_removed() -> None:
    old = leases.register_worker("", MINE)
    Worker.objects.filter(pk=old).update(expires_at=clock.now() - timedelta(hours=2))
    new = leases.register_worker("", MINE)
    assert set(Worker.objects.values_list("id", flat=True)) == {new}


@pytest.mark.django_db(transaction=True)
def test_a_ticking_process_keeps_its_lease() -> None:
    with override_settings(RUNS_LEASE_SECONDS=0.6):
        worker = leases.register_worker(start_time(os.getpid()), MINE)
        lease = Lease(worker, on_dead=lambda: None)
        lease.start()
        try:
            deadline = time.monotonic() + 10
            seen_at = Worker.objects.get().seen_at
            while Worker.objects.get().seen_at == seen_at and time.monotonic() < deadline:
                lease.tick()
            assert Worker.objects.get().seen_at > seen_at
            assert lease.holds
        finally:
            lease.stop()
    connections.close_all()


def test_a_lease_that_had_run_out_is_silent_until_the_tokens_were_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    lease = Lease(UUID(int=1), on_dead=lambda: None)
    assert lease.holds
    monkeypatch.setattr(leases, "renew", lambda worker: True)
    real, slept = clock.boot_time, 31.0
    monkeypatch.setattr(clock, "boot_time", lambda: real() + slept)
    assert not lease.holds
    gaps_before = lease.gaps
    lease._renew()
    assert not lease.holds, "renewed, but others may have taken the runs meanwhile"
    lease.verified(gaps_before)
    assert not lease.holds, "that comparison began before the gap was noticed"
    lease.verified(lease.gaps)
    assert lease.holds


HUNG = """
import time, django
django.setup()
from uuid import uuid4
from runs.engine import leases
from runs.worker.lease import Lease
from runs.worker.pids import start_time
import os
lease = Lease(leases.register_worker(start_time(os.getpid()), []), lambda: None)
lease.start()
def a_step_that_blocks_the_loop():
    time.sleep(60)
a_step_that_blocks_the_loop()
"""


def test_a_process_whose_loop_hangs_shows_where_and_ends(tmp_path: object) -> None:
    environment = {
        **os.environ,
        "PERDURE_DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/hung.sqlite3",
        "RUNS_LOOP_STALL_SECONDS": "1",
        "DJANGO_SETTINGS_MODULE": "perdure.settings",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environment, check=True, timeout=60)
    done = subprocess.run([sys.executable, "-c", HUNG], env=environment, capture_output=True, text=True, timeout=40)
    assert done.returncode == 70, done.stderr
    assert "The event loop stood still" in done.stderr
    assert "a_step_that_blocks_the_loop" in done.stderr


@pytest.mark.django_db(transaction=True)
async def test_every_driver_hears_which_runs_a_dead_process_left_behind() -> None:
    """A watchdog may find it first, and can take none of them."""
    dead = await sync_to_async(leases.register_worker)("12345", MINE)
    run = await amake_run(status=RunStatus.RUNNING, lease_worker=dead, lease_token=1)
    heard: asyncio.Future[list[UUID] | None] = asyncio.get_running_loop().create_future()

    def hear(ids: list[UUID] | None) -> None:
        if ids is not None and not heard.done():  # SQLite's counter says none
            heard.set_result(ids)

    async with asyncio.timeout(10), Doorbell(hear):
        assert await sync_to_async(leases.expire_dead)(is_alive) == 1
        assert await heard == [run.id]
    await sync_to_async(connections.close_all)()
