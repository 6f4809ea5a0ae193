"""The campaign's app, with what a campaign wants of a worker process: stacks on demand, a wrong clock, another host."""

import faulthandler
import os
import signal
import sys
from datetime import datetime, timedelta

from django.apps import AppConfig


class ProgramAppConfig(AppConfig):
    name = "tests.faults.campaign.program_app"
    label = "program_app"

    def ready(self) -> None:
        faulthandler.register(signal.SIGUSR1, file=sys.stderr, all_threads=True, chain=False)
        if seconds := float(os.environ.get("PERDURE_CLOCK_SKEW", "0")):
            _skew(timedelta(seconds=seconds))
        if host := os.environ.get("PERDURE_CAMPAIGN_HOST"):
            _stand_on(host)


def _skew(by: timedelta) -> None:
    """This host's clock is wrong; the database's, by which leases and due times are compared, is not."""
    from runs import clock

    right = clock.now

    def now() -> datetime:
        return right() + by

    clock.now = now


def _stand_on(host: str) -> None:
    """The others' processes cannot be looked at from here, as if they were on another machine."""
    from runs.engine import leases

    leases.host_id = lambda: host  # type: ignore[assignment]
