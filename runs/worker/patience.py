"""A database that neither answers nor refuses, as behind a connection that was forgotten on its way.

No error comes of that: every thread of the process would wait for ever, and nobody would begin anew.
"""

import faulthandler
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SILENCE_SECONDS: Final = 25.0
"""Longer than SQLite waits for its lock and a connection for its server, which end by errors."""


@contextmanager
def patience(seconds: float = SILENCE_SECONDS) -> Iterator[None]:
    """The process writes its stacks to stderr and ends, with code 1, unless the block is over in time.

    One block at a time in a process.
    """
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__ or sys.stderr)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
