"""Tables as they are after a long time."""

from django.db import connection

from benchmarks.calls.waiting import ended
from runs import jobs

CLOSED = "closed"


def fill(ended_runs: int, queued_runs: int) -> None:
    """Rows like that of one completed run; of the queued ones half are due later and half in a queue that is held."""
    (run,) = ended([jobs.start("bench-moment").run])
    jobs.set_queue(CLOSED, jobs.SYSTEM, concurrency=None, is_paused=True)
    later = {"status": "'queued'", "finished_at": "NULL", "started_at": "NULL", "output": "NULL"}
    # Their histories are pruned: else the workers would do that while starts are measured.
    ended_then = "finished_at - number * interval '1 second'"
    _copy(str(run.id), 1, ended_runs, finished_at=ended_then, pruned_at="now()", first_sequence="last_sequence + 1")
    _copy(str(run.id), ended_runs + 1, queued_runs // 2, **later, due_at="now() + number * interval '1 second'")
    _copy(str(run.id), ended_runs + queued_runs, queued_runs // 2, **later, due_at="now()", queue=f"'{CLOSED}'")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE runs_run")


def _copy(run_id: str, first: int, count: int, **changed: str) -> None:
    """Rows with other values, SQL, in some columns; their ids are older than every real one."""
    changed["id"] = "lpad(to_hex(number), 32, '0')::uuid"
    with connection.cursor() as cursor:
        names = [column.name for column in connection.introspection.get_table_description(cursor, "runs_run")]
        values = ", ".join(changed.get(name, name) for name in names)
        cursor.execute(
            f"INSERT INTO runs_run ({', '.join(names)}) SELECT {values}"
            " FROM runs_run, generate_series(%s::bigint, %s) number WHERE runs_run.id = %s",
            [first, first + count - 1, run_id],
        )
