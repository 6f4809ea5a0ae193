"""`python -m perdure.tied PARENT COMMAND...`: become COMMAND, which the kernel kills when process PARENT dies.

A supervisor that is killed with SIGKILL can stop nobody; so each child asks for its own end in advance. This is a
program of its own, because code run between fork and exec of a process with threads may hang.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Ask for SIGKILL when the parent dies; ends this process if that happened already. Linux only, else nothing."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
