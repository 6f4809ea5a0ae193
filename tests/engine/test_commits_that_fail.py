"""PostgreSQL answers a statement before its commit, which may fail yet: what was not committed is told to nobody."""

import asyncio
from collections.abc import Iterator

import pytest
from django.db import connection

from runs.engine.batches import Batch
from runs.engine.store.transitions import Result
from runs.engine.writer import Writer
from runs.models import Step
from tests.engine.driver import types
from tests.engine.test_step_alone import claimed
from tests.engine.test_step_from_the_loop import sent, write  # noqa: F401
from tests.engine.test_writer import handle_of, writer  # noqa: F401

_FAILS_ONCE = """
CREATE SEQUENCE test_commits;
CREATE FUNCTION test_fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.name = 'c' AND nextval('test_commits') = 1 THEN
    {}
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER test_fail_once AFTER INSERT ON runs_step DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION test_fail_once();
"""
_MENDED = "DROP FUNCTION test_fail_once CASCADE; DROP SEQUENCE test_commits"
_CONFLICT = "RAISE EXCEPTION 'refused at the commit' USING ERRCODE = '40001';"
_CUT = "PERFORM pg_terminate_backend(pg_backend_pid());"


@pytest.fixture(params=[_CONFLICT, _CUT], ids=["conflict", "cut"])
def third_commit_fails(request: pytest.FixtureRequest, db: None, on_postgresql: bool) -> Iterator[None]:
    """On PostgreSQL: on SQLite the thread writes, and a commit answers for itself."""
    with connection.cursor() as cursor:
        if on_postgresql:
            cursor.execute(_FAILS_ONCE.format(request.param))
        yield
        if on_postgresql:
            cursor.execute(_MENDED)


@pytest.mark.usefixtures("third_commit_fails")
def test_a_step_whose_commit_fails_under_way_from_the_loop_is_written_again(
    writer: Writer, sent: list[Batch], on_postgresql: bool  # noqa: F811
) -> None:  # fmt: skip
    [run] = claimed(1)
    assert asyncio.run(write(writer, run, handle_of(run), *"abcd")) == [Result.DONE] * 4
    assert ("c" in [batch[0][2].transitions[0].steps[0].name for batch in sent]) is on_postgresql
    assert list(Step.objects.filter(run_id=run.id).order_by("id").values_list("name", flat=True)) == list("abcd")
    assert types(run)[2:] == ["step:start", "step:complete"] * 4
