"""For the tests of your own jobs: run what is due in this process, move the clock, let workers die.

Needs a database with real transactions (`@pytest.mark.django_db(transaction=True)`).
"""

from runs.testing.claims import claim_for, frozen_worker, temporary_jobs
from runs.testing.crashes import NobodyDied, crash_after
from runs.testing.drain import drain
from runs.testing.passing import advance, freeze, run_to_end, signal

__all__ = [
    "NobodyDied",
    "advance",
    "claim_for",
    "crash_after",
    "drain",
    "freeze",
    "frozen_worker",
    "run_to_end",
    "signal",
    "temporary_jobs",
]
