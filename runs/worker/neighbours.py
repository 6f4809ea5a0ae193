"""Ends the leases of this host's dead processes also while no driver lives that could."""

import logging
import threading
from typing import Final

from django.db import DatabaseError, InterfaceError, connections

from runs.engine import leases
from runs.engine.outages import describe
from runs.worker.pids import is_alive

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5


class Neighbours:
    """A thread with a connection of its own: the watchdog must not wait for a database that does not answer."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="runs-neighbours", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Before a fork: a thread must not be inside the database's client then."""
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        failing = False
        while not self._stop.wait(LOOK_SECONDS):
            try:
                if dead := leases.expire_dead(is_alive):
                    log.warning("%d processes of this host died; their runs go on elsewhere.", dead)
                failing = False
            except (DatabaseError, InterfaceError) as exc:
                if not failing:
                    log.warning(
                        "Neighbours cannot be watched, because of the database: %s. It is tried again.", describe(exc)
                    )
                failing = True
                connections.close_all()
        connections.close_all()
