"""The tree below `manage.py up`: children end with their parent, are started again, and are stopped in good order."""

import signal
import subprocess
import sys
import time

from tests.servers import processes

SUPERVISE = """
import signal, sys, threading, time
from perdure.supervisor import Child, say, stop_all
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
child = Child("child", [sys.executable, "-c", sys.argv[1]], stop_within=float(sys.argv[2]))
child.start()
while not stop.wait(0.05):
    child.restart_if_dead()
stop_all([child], threading.Event())
say("stopped")
"""
SLEEPS = "print('begun', flush=True); import time; time.sleep(600)"
IGNORES = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('begun', flush=True); time.sleep(600)"
)


def supervise(child, stop_within=5.0):
    return subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, child, str(stop_within)], stdout=subprocess.PIPE, text=True, bufsize=1
    )


def read_until(process, text):
    for line in process.stdout:
        if text in line:
            return line
    raise AssertionError(f"it ended without saying {text!r}")


def wait_until_dead(pid, within=60.0):
    deadline = time.monotonic() + within
    while processes.command_line(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not processes.command_line(pid)


def test_a_child_ends_when_its_parent_is_killed():
    parent = supervise(SLEEPS)
    read_until(parent, "child  | begun")
    (child,) = processes.children_of(parent.pid)
    parent.kill()
    parent.communicate()
    assert wait_until_dead(child)


def test_a_child_that_dies_is_started_again_with_a_line_in_the_log():
    parent = supervise(SLEEPS)
    read_until(parent, "begun")
    (child,) = processes.children_of(parent.pid)
    processes.kill_all([child])
    assert "killed by SIGKILL" in read_until(parent, "ended unexpectedly")
    read_until(parent, "begun")
    parent.send_signal(signal.SIGTERM)
    assert "up     | stopped" in parent.communicate()[0]
    assert parent.returncode == 0


def test_a_child_that_does_not_stop_is_killed():
    parent = supervise(IGNORES, stop_within=0.5)
    read_until(parent, "begun")
    (child,) = processes.children_of(parent.pid)
    parent.send_signal(signal.SIGTERM)
    assert "did not stop in time" in parent.communicate()[0]
    assert wait_until_dead(child)


def test_a_child_whose_parent_is_gone_before_it_asks_ends_at_once():
    done = subprocess.run(
        [sys.executable, "-m", "perdure.tied", "1", sys.executable, "-c", "print('ran')"], capture_output=True
    )
    assert (done.returncode, done.stdout) == (1, b"")
