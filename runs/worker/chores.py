"""The chores of a driver, each in a thread of its own: one that hangs on a network delays no run and no other chore."""

import logging
import threading

from django.db import connections

from runs.maintenance.chores import Chore, all_chores

log = logging.getLogger(__name__)


class Chores:
    def __init__(self) -> None:
        self._over = threading.Event()

    def start(self) -> None:
        for chore in all_chores():
            # a daemon: the process may end while a server keeps it waiting, and its work is found again
            threading.Thread(target=self._repeat, args=(chore,), name=f"chore-{chore.name}", daemon=True).start()

    def stop(self) -> None:
        """None begins any more."""
        self._over.set()

    def _repeat(self, chore: Chore) -> None:
        """On one connection, as the other parts of a driver; a new one after an error."""
        try:
            while not self._over.wait(chore.every.total_seconds()):
                try:
                    chore.function()
                except Exception:
                    log.exception("The chore %r failed; it is called again.", chore.name)
                    connections.close_all()
        finally:
            connections.close_all()
