"""The thread that keeps this process's lease, and lets it go when the process does not deserve it."""

import faulthandler
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection

from runs import clock
from runs.conf import get_settings
from runs.engine import leases
from runs.engine.outages import describe
from runs.worker.patience import patience
from runs.worker.pids import is_alive

log = logging.getLogger(__name__)

NEIGHBOURS_SECONDS: Final = 0.5
HUNG_EXIT_CODE: Final = 70


class Lease:
    """Renews on a connection of its own, and ends the leases of dead neighbours.

    A hung event loop stops `tick`ing: then the thread ends the process, so that others can have its runs.
    """

    def __init__(self, worker: UUID, on_dead: Callable[[], None]) -> None:
        """`on_dead()` is called in this thread when a neighbour was found dead."""
        self.worker = worker
        self._on_dead = on_dead
        self._lease = get_settings().lease_seconds
        # A third of the lease leaves two more tries.
        self._every = min(get_settings().renew_seconds, self._lease / 3)
        self._ticked = clock.monotonic()
        self._renewed = clock.boot_time()
        self._gaps = 0
        self._verified = 0
        self._failing = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="runs-lease", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; the row is left to `leases.give_up`."""
        self._stop.set()
        self._thread.join(30)

    def tick(self) -> None:
        """The event loop turns."""
        self._ticked = clock.monotonic()

    # -------------------------------------------------------------------------------- may this process still speak
    @property
    def holds(self) -> bool:
        """False while the lease may have run out: others may drive these runs, so nothing may be sent about them.

        Measured here by a clock that goes on in a stopped process. After a renewal that came too late it stays False
        until the tokens were looked at again.
        """
        return self._gaps == self._verified and clock.boot_time() - self._renewed < self._lease

    @property
    def gaps(self) -> int:
        """How often the lease had run out before it was renewed."""
        return self._gaps

    def verified(self, gaps: int) -> None:
        """The tokens of all runs were compared, and lost runs dropped, after `gaps` was read."""
        self._verified = gaps

    # ----------------------------------------------------------------------------------------------- in the thread
    def _run(self) -> None:
        due = clock.monotonic() + self._every
        while not self._pause():
            try:
                with patience():
                    if clock.monotonic() >= due:
                        self._renew()
                        due = clock.monotonic() + self._every
                    found_dead = leases.expire_dead(is_alive)
                if found_dead:
                    self._on_dead()
                self._failing = False
            except (DatabaseError, InterfaceError) as exc:
                self._complain(exc)
        connection.close()

    def _pause(self) -> bool:
        """Wait for the next round; True at the end. A process that was stopped as a whole gets a new start."""
        before = clock.monotonic()
        ended = self._stop.wait(min(NEIGHBOURS_SECONDS, self._every))
        if clock.monotonic() - before > NEIGHBOURS_SECONDS + 1:
            self.tick()
        stalled = clock.monotonic() - self._ticked
        if not ended and stalled > get_settings().loop_stall_seconds:
            _die_hung(stalled)
        return ended

    def _renew(self) -> None:
        before = clock.boot_time()
        if not leases.renew(self.worker):
            log.error("The row of worker %s is gone: its runs belong to others, this process ends.", self.worker)
            os._exit(HUNG_EXIT_CODE)
        # The gap first: between the two assignments `holds` must not be True.
        if before - self._renewed >= self._lease:
            self._gaps += 1
            log.warning(
                "The lease had run out after %.1f s without renewal: lost runs are dropped.", before - self._renewed
            )
        self._renewed = before

    def _complain(self, exc: Exception) -> None:
        if not self._failing:
            log.error("A lease cannot be renewed, because of the database: %s. It is tried again.", describe(exc))
        self._failing = True
        connection.close()


def _die_hung(seconds: float) -> None:
    """A step blocks the event loop: no heartbeat, no cancel, no other run. Show where, and end."""
    log.error(
        "The event loop stood still for %.0f s: a step blocks it. The stacks follow; the process ends and its runs go "
        "on elsewhere. Make the blocking function a plain def, which runs in a thread.",
        seconds,
    )
    faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
    os._exit(HUNG_EXIT_CODE)
