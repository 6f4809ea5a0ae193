"""No orphan outlives its parent: the kernel kills a child when its parent dies, however that one died."""

import contextlib
import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Let the kernel kill this process as soon as `parent` is gone; ends it at once if that has happened already.

    The request and the death of the parent race, hence the comparison after it. Without Linux's prctl only the
    comparison is left.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


class Family:
    """Makes each child that this process forks from now on die with it.

    `os.register_at_fork` is inherited: a grandchild, forked by a job's own code, is none of ours and left alone.
    """

    def __init__(self, before: Callable[[], int], born: Callable[[int], None]) -> None:
        """`before()` is called ahead of each fork in this process; `born(its result)` in the child."""
        self.head = os.getpid()
        self._before, self._born = before, born
        self._forking = False
        self._token = 0
        os.register_at_fork(before=self._ahead, after_in_child=self._in_child)

    def _ahead(self) -> None:
        self._forking = os.getpid() == self.head
        if self._forking:
            self._token = self._before()

    def _in_child(self) -> None:
        if self._forking:
            self._forking = False
            die_with(self.head)
            self._born(self._token)
