"""The engine sets what its own statements need; the database session that job code meets is as Django made it."""

from django.db import connection, transaction

from runs import jobs
from runs.engine.store.prepared import prepared_connection
from runs.jobs import StepContext, job
from runs.testing import drain
from tests.engine.driver import begin

NAMES = ("plan_cache_mode", "enable_seqscan", "jit")


def settings_now() -> list[str]:
    """What the planner is told in this thread's session; SQLite has no such settings."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT current_setting('{name}')" for name in NAMES))
        return [value for (value,) in cursor.fetchall()]


def fresh_settings() -> list[str]:
    connection.close()
    return settings_now()


def test_a_step_meets_the_settings_of_a_new_session_also_after_it_started_and_signalled_runs() -> None:
    @job("other")
    async def other(step: StepContext) -> None:
        await step.wait_for_signal("go")

    @job("asks")
    async def asks(step: StepContext) -> list[str]:
        def ask() -> list[str]:
            jobs.signal(jobs.start(other).run.id, "go")
            return settings_now()

        return [*await step.run("first", settings_now), *await step.run("then", ask)]

    run = begin(asks)
    drain()
    assert jobs.get(run.id).output == fresh_settings() * 2


def test_a_transaction_of_other_code_is_left_as_it_is(on_postgresql: bool) -> None:
    before = fresh_settings()
    if on_postgresql:
        with transaction.atomic():
            prepared_connection()
            assert settings_now() == before
    with transaction.atomic():
        jobs.start(job("started")(lambda step: None))
        assert settings_now() == before
