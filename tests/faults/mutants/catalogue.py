"""What must not be taken out of the engine: each mutant takes one thing out, and names the tests that notice."""

from dataclasses import dataclass

SQLITE, POSTGRESQL = "sqlite", "postgresql"


@dataclass(frozen=True)
class Mutant:
    """In `file`, `fragment` (which occurs once) becomes `replacement`; then each of `tests` fails on `database`."""

    name: str
    database: str
    file: str
    fragment: str
    replacement: str
    tests: tuple[str, ...]


STORE_POSTGRESQL, STORE_SQLITE = "runs/engine/store/postgresql.py", "runs/engine/store/sqlite.py"
FOLLOW, STREAMS, WATCHER = "runs/live/follower.py", "runs/live/streams.py", "runs/live/watcher.py"
PRUNING = "runs/engine/store/pruning.py"
FENCE = "tests/engine/test_fence.py"
WRITER = "tests/engine/test_writer.py"
ALONE = "tests/engine/test_step_alone.py"
STEP_ALONE = "runs/migrations/0024_a_step_alone.py"

MUTANTS = (
    Mutant(
        "the fence", POSTGRESQL, STORE_POSTGRESQL,
        "l.lease_token = e.token AND l.write_no", "l.write_no",
        (
            f"{FENCE}::test_an_invalid_fence_writes_nothing_at_all",
            f"{FENCE}::test_a_stale_entry_does_not_hold_back_the_others_of_its_batch",
        ),
    ),
    Mutant(
        "the fence", SQLITE, STORE_SQLITE,
        "id = %s AND lease_token = %s AND write_no = %s", "id = %s AND %s IS NOT NULL AND write_no = %s",
        (
            f"{FENCE}::test_an_invalid_fence_writes_nothing_at_all",
            f"{FENCE}::test_a_stale_entry_does_not_hold_back_the_others_of_its_batch",
        ),
    ),
    Mutant(
        "the fence of a step alone", POSTGRESQL, STEP_ALONE,
        "lease_token = p_token AND write_no", "write_no",
        (f"{ALONE}::test_a_step_alone_with_an_invalid_fence_writes_nothing",),
    ),
    Mutant(
        "the inbox condition", POSTGRESQL, STORE_POSTGRESQL,
        "AND (e.inbox IS NULL OR l.inbox = e.inbox)", "",
        (
            f"{FENCE}::test_a_condition_on_the_inbox_that_does_not_hold_writes_nothing",
            "tests/engine/test_unloading.py::test_what_arrives_between_the_last_look_and_the_wait_is_not_slept_through",
        ),
    ),
    Mutant(
        "the inbox condition", SQLITE, STORE_SQLITE,
        'f"{where} AND inbox = %s"', 'f"{where} AND %s IS NOT NULL"',
        (
            f"{FENCE}::test_a_condition_on_the_inbox_that_does_not_hold_writes_nothing",
            "tests/engine/test_unloading.py::test_what_arrives_between_the_last_look_and_the_wait_is_not_slept_through",
        ),
    ),
    Mutant(
        "write_no", POSTGRESQL, STORE_POSTGRESQL,
        " AND l.write_no = e.write_no - 1", "",
        (f"{FENCE}::test_write_no_tells_whether_an_unknown_commit_happened",),
    ),
    Mutant(
        "write_no of a step alone", POSTGRESQL, STEP_ALONE,
        " AND write_no = p_write_no - 1", "",
        (f"{ALONE}::test_a_step_alone_with_an_invalid_fence_writes_nothing",),
    ),
    Mutant(
        "write_no", SQLITE, STORE_SQLITE,
        "lease_token = %s AND write_no = %s", "lease_token = %s AND %s IS NOT NULL",
        (f"{FENCE}::test_write_no_tells_whether_an_unknown_commit_happened",),
    ),
    *(
        Mutant(
            "write_no is read back", database, "runs/engine/store/commit.py",
            "if found.get(entry.run_id) == (entry.token, entry.write_no)", "if found.get(entry.run_id) is None",
            (
                f"{FENCE}::test_write_no_tells_whether_an_unknown_commit_happened",
                f"{WRITER}::test_a_connection_that_dies_neither_loses_nor_doubles",
            ),
        )
        for database in (POSTGRESQL, SQLITE)
    ),
    Mutant(
        "the SKIP LOCKED pre-lock", POSTGRESQL, STORE_POSTGRESQL,
        "FOR NO KEY UPDATE SKIP LOCKED\n), written", "FOR NO KEY UPDATE\n), written",
        (f"{WRITER}::test_a_locked_run_does_not_stall_the_others",),
    ),
    Mutant(
        "the SKIP LOCKED pre-lock of a step alone", POSTGRESQL, STEP_ALONE,
        "FOR NO KEY UPDATE SKIP LOCKED", "FOR NO KEY UPDATE",
        (f"{ALONE}::test_a_step_alone_of_a_locked_run_does_not_wait",),
    ),
    Mutant(
        "the gap healing: events come from the log", SQLITE, FOLLOW,
        "read_log(self._run_id, self._cursor)", "read_log(self._run_id, max(self._cursor, self._last - 1))",
        (
            "tests/live/test_follow.py::test_events_arrive_once_and_in_order_and_the_last_one_ends_the_stream"
            "[tests.live.buses.DroppingBus]",
        ),
    ),
    Mutant(
        "the gap healing: frames behind a hole are asked for", SQLITE, FOLLOW,
        "            for missing in self._streams.behind():\n                await self._asking.ask(missing)\n", "",
        ("tests/live/test_healing.py::test_a_frame_that_was_lost_is_asked_for",),
    ),
    Mutant(
        "the gap healing: a hole in the log is told", SQLITE, FOLLOW,
        "if self._cursor + 1 < self._first or (events and events[0].sequence != self._cursor + 1):", "if False:",
        ("tests/live/test_follow.py::test_a_cursor_before_the_retained_window_gets_a_gap_and_goes_on",),
    ),
    Mutant(
        "the last-event watch", SQLITE, WATCHER,
        "asyncio.timeout(QUERY_SECONDS):", "asyncio.timeout(None):",
        ("tests/live/test_healing.py::test_a_last_event_that_nobody_announces_is_found",),
    ),
    Mutant(
        "the per-branch order: a task is a branch", SQLITE, "runs/engine/branches.py",
        "    child = parent.child()\n", "    child = parent\n",
        ("tests/engine/test_branches.py::test_branches_take_the_same_way_in_a_replay",),
    ),
    Mutant(
        "the per-branch order: it is compared", SQLITE, "runs/engine/history.py",
        "elif recorded.place != met.place:", "elif recorded.kind != met.kind:",
        ("tests/engine/test_replay.py::test_code_that_does_not_match_the_history_pauses_and_touches_nothing",),
    ),
    Mutant(
        "the epoch of frames", SQLITE, STREAMS,
        'str(message["step"]), int(message["epoch"]), int(message["attempt"])\n        if',
        'str(message["step"]), self.epoch, int(message["attempt"])\n        if',
        ("tests/live/test_healing.py::test_frames_of_a_lost_epoch_are_dropped_before_the_next_one_speaks",),
    ),
    Mutant(
        "first_sequence before deletes: of a history", SQLITE, PRUNING,
        'first_sequence=F("last_sequence") + 1, pruned_at', "pruned_at",
        ("tests/retention/test_prune.py::test_a_history_goes_after_a_day_and_the_result_stays",),
    ),
    Mutant(
        "first_sequence before deletes: of a slice", SQLITE, PRUNING,
        "    Run.objects.filter(id=run.id).update(first_sequence=first)\n", "",
        ("tests/retention/test_prune.py::test_a_long_history_goes_in_slices_and_each_leaves_the_log_whole",),
    ),
    *(
        Mutant(
            "first_sequence before deletes: one transaction", database, PRUNING,
            "        Run.objects.filter(id__in=[run.id for run in found]).update(\n"
            '            first_sequence=F("last_sequence") + 1, pruned_at=clock.now()\n'
            "        )\n",
            "        transaction.on_commit(lambda: Run.objects.filter(id__in=[run.id for run in found]).update(\n"
            '            first_sequence=F("last_sequence") + 1, pruned_at=clock.now()\n'
            "        ))\n",
            ("tests/retention/test_whole_or_not.py::test_events_stay_when_first_sequence_cannot_rise",),
        )
        for database in (POSTGRESQL, SQLITE)
    ),
)  # fmt: skip
