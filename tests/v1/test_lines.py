"""The lines of a job's stream: numbered without gaps, the same for everybody, and the last one is the last."""

from typing import Any

from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st

from flows.pipelines.lines import Line, Lines
from tests.v1.joblogs import Log, logs, pipeline, queued_job


def given(*strategies: Any) -> Any:
    """A few logs for each property: one has some hundred events."""
    return lambda test: settings(max_examples=15, deadline=None)(given_any(*strategies)(test))


def fold(log: Log, on_failure: str = "fail") -> list[Line]:
    """All lines that a reader of the whole log sees, the last one included."""
    lines = Lines(queued_job(), pipeline(on_failure))
    told = [line for event in log.events for line in lines.take(event)]
    assert lines.has_ended
    return [*told, lines.finish()]


def kept(lines: list[Line]) -> list[Line]:
    return [line for line in lines if not line.is_live]


def names(lines: list[Line]) -> list[str]:
    return [line.event for line in lines]


@given(logs())
def test_numbers_have_no_gap_and_the_last_line_is_told_once(log: Log) -> None:
    lines = fold(log)
    assert [line.seq for line in kept(lines)] == list(range(1, len(kept(lines)) + 1))
    assert names(lines)[0] == "job_queued"
    assert names(lines)[-1] == "stream_finished"
    assert names(lines).count("stream_finished") == names(lines).count("job_started") == 1


@given(logs(), st.data())
def test_a_reader_that_comes_back_gets_exactly_what_it_has_not_seen(log: Log, data: Any) -> None:
    whole = [line.encode() for line in kept(fold(log))]
    held = data.draw(st.integers(1, len(whole) - 1), label="held")
    lines, events = Lines(queued_job(), pipeline()), iter(log.events)
    beyond = lines.skip(events, held)
    assert beyond is not None
    rest = [*beyond, *(line for event in events for line in lines.take(event)), lines.finish()]
    assert [line.encode() for line in kept(rest)] == whole[held:]


@given(logs())
def test_nothing_follows_a_number_beyond_the_stream(log: Log) -> None:
    lines = Lines(queued_job(), pipeline())
    assert lines.skip(log.events, 10_000) is None
    assert lines.seq == len(kept(fold(log))) - 1


@given(logs())
def test_passing_lines_carry_the_number_of_the_line_before_them(log: Log) -> None:
    number = 0
    for line in fold(log):
        assert line.seq == (number if line.is_live else number + 1)
        number = line.seq


@given(logs(end="run:complete"))
def test_lines_of_steps_and_items_come_before_the_end_of_the_job(log: Log) -> None:
    said = names(fold(log))
    end = said.index("job_completed")
    assert said[end:] == ["job_completed", "stream_finished"]
    assert said.count("step_started") == said.count("step_completed") == 3
    assert said.count("item_completed") == 4  # judge and join are exported


@given(logs(end="run:complete"))
def test_a_step_is_completed_when_its_last_shard_has_ended(log: Log) -> None:
    lines = fold(log)
    for place, line in enumerate(lines):
        if line.event == "step_completed" and line.data.step_id == "judge":
            assert names(lines[:place]).count("item_completed") == 3
            assert line.data.shards_done == 3


@given(logs())
def test_every_step_that_began_has_ended_and_none_ends_twice(log: Log) -> None:
    ended: dict[str, int] = {}
    for line in fold(log):
        if line.event in ("step_completed", "step_failed", "step_cancelled"):
            ended[line.data.step_id] = ended.get(line.data.step_id, 0) + 1
        if line.event == "stream_finished":
            began = {one.step_id for one in line.data.step_executions if one.started_at}
            assert began <= ended.keys()
    assert set(ended.values()) <= {1}


def test_the_line_of_a_frame_names_its_shard_attempt_and_place() -> None:
    log = Log()
    log.write("run:start")
    log.write("step:start", "read[2]: model", kind="stream")
    log.reset("read[2]: model")
    log.emit("read[2]: model", 0, "Hello")
    lines = Lines(queued_job(), pipeline())
    told = [line.as_json() for event in log.events for line in lines.take(event)]
    assert told[-2:] == [
        {"seq": 4, "event": "stream_reset", "job_id": "0123456789abcdef0123456789abcdef",
         "data": {"step_id": "read", "shard_key": "read-2", "attempt": 1}},
        {"seq": 4, "event": "provider_chunk", "job_id": "0123456789abcdef0123456789abcdef",
         "data": {"step_id": "read", "shard_key": "read-2", "attempt": 1, "index": 0, "content": "Hello"}},
    ]  # fmt: skip


def _failing(on_failure: str) -> list[Line]:
    log = Log()
    log.write("run:start")
    log.record("read", 0)
    log.write("step:fail", "read[1]", error={"type": "ProviderError", "message": "It broke.", "code": "refused"})
    log.record("read", 2)
    log.write("run:complete", output={"items": [], "meta": {}})
    return fold(log, on_failure)


def test_a_failed_shard_fails_its_step_or_is_left_out() -> None:
    failed = [line.data for line in _failing("fail") if line.event == "step_failed"]
    assert [(one.step_id, one.error.code) for one in failed] == [("read", "refused")]
    [whole] = [line.data for line in _failing("skip") if line.event == "step_completed"]
    assert (whole.step_id, whole.status, whole.shards_done) == ("read", "success", 3)


def test_a_skipped_step_is_told_as_skipped_with_the_items_it_was_given() -> None:
    log = Log()
    log.write("run:start")
    log.write("step:skip", "judge", reason="reused", output=[{"id": "a"}, {"id": "b"}])
    log.write("run:complete", output={"items": [], "meta": {}})
    lines = fold(log)
    assert names(lines)[3:6] == ["item_completed", "item_completed", "step_completed"]
    assert lines[5].data.status == "skipped"


def test_a_retried_job_begins_its_failed_step_again() -> None:
    log = Log()
    log.write("run:start")
    log.record("read", 0)
    log.write("step:fail", "read[1]", error={"message": "It broke."})
    log.write("run:fail", error={"message": "It broke.", "steps": ["read[1]"]})
    log.write("run:retry", steps=["read[1]"])
    log.write("run:resume")
    log.write("step:start", "read[1]", kind="run")
    log.record("read", 1)
    log.record("read", 2)
    log.write("run:complete", output={"items": [], "meta": {}})
    lines = fold(log)
    said = names(lines)
    assert said.count("job_started") == 1
    assert [said.count(name) for name in ("step_started", "step_failed", "step_completed")] == [2, 1, 1]
    assert (lines[-1].data.status, lines[-1].data.error) == ("succeeded", None)


def test_input_and_result_are_told_at_the_beginning_and_at_the_end_only() -> None:
    lines = _failing("skip")
    carried = [(line.event, line.data.input is not None, line.data.result is not None) for line in lines
               if line.event.startswith(("job_", "stream_finished"))]  # fmt: skip
    assert carried == [
        ("job_queued", True, False), ("job_started", False, False), ("job_status", False, False),
        ("job_status", False, False), ("job_completed", False, True), ("stream_finished", True, True),
    ]  # fmt: skip
