"""The tables are older than the code: no worker drives runs on them, it says what to do and begins when it is done."""

from collections.abc import Callable

from tests.faults.conditions.workload import APPS
from tests.worker.tree import WorkerTree


def test_a_worker_waits_until_the_migration_is_applied(make_tree: Callable[..., WorkerTree]) -> None:
    tree = make_tree()
    run = tree.ask("start", "echo", {"text": "late"})
    newest = tree.ask("forget_newest_migration", "runs")
    tree.spawn()
    tree.wait_for_line(
        rf"because of the database: migrations are not applied: runs\.{newest}\. Run `manage\.py migrate`\.", within=20
    )
    assert tree.ask("run", run)["status"] == "queued"
    assert not any("drives runs" in line for line in tree.lines)
    tree.manage("migrate", "runs", newest, "--fake", "-v", "0")
    assert tree.finish(run)["output"] == "late"


def test_a_worker_on_an_empty_database_says_what_to_do_and_can_be_stopped(on_postgresql: bool) -> None:
    tree = WorkerTree(postgresql=on_postgresql, new=True, PERDURE_APPS=APPS)
    try:
        tree.spawn()
        tree.wait_for_line(r"and \d+ more\. Run `manage\.py migrate`", within=20)
        assert tree.stop() == 0
    finally:
        assert tree.remove() == []
