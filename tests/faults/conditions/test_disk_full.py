"""The disk under the database is full: runs wait for room, the log says so, and they go on by themselves."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conditions.small_disk import SmallDiskTree
from tests.faults.conditions.workload import Workload

REFUSED = "its disk is full or broken. Free space there"


@pytest.fixture
def tree(make_tree: Callable[..., SmallDiskTree]) -> SmallDiskTree:
    made = make_tree(SmallDiskTree)
    made.start_worker()
    return made


def test_runs_wait_for_room_and_go_on(tree: SmallDiskTree, tmp_path: Path) -> None:
    work = Workload(tree, tmp_path)
    work.wait_until_under_way()
    tree.fill()
    tree.wait_for_line(f"because of the database: {REFUSED}", within=30)
    time.sleep(3)  # the condition lasts
    tree.free()
    work.assert_completes()


def test_a_worker_that_starts_on_a_full_disk_waits_for_room(tree: SmallDiskTree, tmp_path: Path) -> None:
    work = Workload(tree, tmp_path)
    work.wait_until_under_way()
    tree.fill()
    tree.wait_for_line(REFUSED, within=30)
    tree.kill_tree()
    tree.spawn()
    tree.wait_for_line(REFUSED, within=30)
    tree.free()
    work.assert_completes(repeated=1)
