"""PostgreSQL: what writes one step of one run at a time is a function, whose statements are planned once a session.

Its name ends with its version: workers of another version of the code go on with theirs while migrations run.
"""

from typing import Any

from django.db import migrations

_CREATE = """
CREATE FUNCTION runs_write_step_1(
  p_run uuid, p_token bigint, p_write_no bigint, p_at timestamptz,
  p_name text, p_kind text, p_branch text, p_position int, p_status text, p_attempts int, p_failures int,
  p_output jsonb, p_secrets jsonb, p_error jsonb,
  p_started_at timestamptz, p_finished_at timestamptz, p_wake_at timestamptz,
  p_attempt int, p_start jsonb, p_end_type text, p_end jsonb
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  base bigint;
  number_of_events CONSTANT int := CASE WHEN p_start IS NULL THEN 1 ELSE 2 END;
BEGIN
  PERFORM FROM runs_run
    WHERE id = p_run AND lease_token = p_token AND write_no = p_write_no - 1 AND lease_worker IS NOT NULL
    FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  UPDATE runs_run SET write_no = p_write_no, last_sequence = last_sequence + number_of_events, claims = 0
    WHERE id = p_run RETURNING last_sequence - number_of_events INTO base;
  INSERT INTO runs_step (
      run_id, name, kind, branch, position, status, attempts, failures, output, secrets, error,
      started_at, finished_at, wake_at
    ) VALUES (
      p_run, p_name, p_kind, p_branch, p_position, p_status, p_attempts, p_failures, p_output, p_secrets, p_error,
      p_started_at, p_finished_at, p_wake_at
    ) ON CONFLICT (run_id, name) DO UPDATE SET
      kind = EXCLUDED.kind, branch = EXCLUDED.branch, position = EXCLUDED.position, status = EXCLUDED.status,
      attempts = EXCLUDED.attempts, failures = EXCLUDED.failures, output = EXCLUDED.output,
      secrets = EXCLUDED.secrets, error = EXCLUDED.error, started_at = EXCLUDED.started_at,
      finished_at = EXCLUDED.finished_at, wake_at = EXCLUDED.wake_at;
  IF p_start IS NULL THEN
    INSERT INTO runs_event (run_id, sequence, type, step, attempt, data, created_at)
      VALUES (p_run, base + 1, p_end_type, p_name, p_attempt, p_end, p_at);
  ELSE
    INSERT INTO runs_event (run_id, sequence, type, step, attempt, data, created_at)
      VALUES (p_run, base + 1, 'step:start', p_name, p_attempt, p_start, p_at),
             (p_run, base + 2, p_end_type, p_name, p_attempt, p_end, p_at);
  END IF;
  RETURN base + number_of_events;
END $$
"""
_ARGUMENTS = (
    "uuid, bigint, bigint, timestamptz, text, text, text, int, text, int, int, jsonb, jsonb, jsonb,"
    " timestamptz, timestamptz, timestamptz, int, jsonb, text, jsonb"
)


def _create(_: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_CREATE)


def _drop(_: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP FUNCTION runs_write_step_1({_ARGUMENTS})")


class Migration(migrations.Migration):
    dependencies = [("runs", "0023_indexes_of_those_that_have_one")]

    operations = [migrations.RunPython(_create, _drop)]
