"""Logs of pipeline runs as the engine writes them, in every order that may befall one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from flows.pipelines.spec import PipelineDef
from flows.pipelines.wire import PipelineJob
from runs.events.types import LiveType, RunEvent

RUN_ID = UUID("01234567-89ab-cdef-0123-456789abcdef")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
SOURCES = [{"kind": "note", "label": f"note {number}", "content": "text"} for number in range(3)]


def pipeline(on_failure: str = "fail") -> PipelineDef:
    """A fan-out, a step for each of its items, and one that joins them."""
    return PipelineDef.model_validate({
        "type": "notes", "version": "1", "on_failure": on_failure,
        "steps": [
            {"id": "read", "mode": "fanout"},
            {"id": "judge", "mode": "per_item", "depends_on": ["read"], "export": True},
            {"id": "join", "kind": "reduce", "depends_on": ["judge"], "export": True},
        ],
    })  # fmt: skip


def queued_job() -> PipelineJob:
    return PipelineJob(
        id=RUN_ID.hex, pipeline_type="notes", pipeline_version="1", status="queued", created_at=BEGAN,
        updated_at=BEGAN, input={"sources": SOURCES}, step_executions=[],
    )  # fmt: skip


class Log:
    """Events with their numbers; frames have none."""

    def __init__(self) -> None:
        self.events: list[RunEvent] = []
        self.sequence = 0
        self.write("run:queued")

    def write(self, type: str, step: str | None = None, **data: Any) -> None:
        self.sequence += 1
        at = BEGAN + timedelta(seconds=self.sequence)
        self.events.append(RunEvent(type, RUN_ID, data, step, step and 1, self.sequence, created_at=at))

    def emit(self, step: str, offset: int, text: str) -> None:
        frame = {"type": "text", "text": text}
        self.events.append(RunEvent(LiveType.STREAM, RUN_ID, frame, step, 1, epoch=1, offset=offset))

    def reset(self, step: str) -> None:
        self.events.append(RunEvent(LiveType.STREAM_RESET, RUN_ID, {}, step, 1, epoch=1))

    def record(self, step_id: str, index: int | None) -> None:
        self.write("step:complete", _name(step_id, index), output=item(step_id, index), frames=2)


def item(step_id: str, index: int | None) -> dict[str, Any]:
    shard = None if index is None else f"read-{index}"
    return {
        "id": f"{step_id}-{index}", "label": f"{step_id}#{index}", "step_id": step_id, "shard_key": shard,
        "kind": "text", "tag": None, "content_type": "text/plain", "data": {"text": "said"}, "is_primary": False,
    }  # fmt: skip


def _name(step_id: str, index: int | None) -> str:
    return step_id if index is None else f"{step_id}[{index}]"


@st.composite
def logs(draw: Any, end: str | None = None) -> Log:
    """The log of a run that has ended: `run:complete`, `run:fail` or `run:cancel`."""
    log = Log()
    how = end or draw(st.sampled_from(["run:complete", "run:fail", "run:cancel"]))
    cut = 10_000 if how == "run:complete" else draw(st.integers(0, 40))
    log.write("run:start")
    for step_id, shards in (("read", [0, 1, 2]), ("judge", [0, 1, 2]), ("join", [None])):
        _work_on(draw, log, step_id, shards, cut)
    if how == "run:fail":
        log.write(how, error={"type": "StepFailed", "message": "It broke.", "step": "judge[1]", "steps": ["judge[1]"]})
    elif how == "run:cancel":
        log.write(how, reason="enough", actor={"kind": "user"})
    else:
        log.write(how, output={"items": [item("judge", 0)], "meta": {}})
    return log


def _work_on(draw: Any, log: Log, step_id: str, shards: list[int | None], cut: int) -> None:
    """The shards of one step, side by side, with all that may come between."""
    left = {shard: ["start", "model", "frames", "told", "record"] for shard in shards}
    while left and log.sequence < cut:
        shard = draw(st.sampled_from(sorted(left, key=str)))
        _do(log, left[shard].pop(0), step_id, shard)
        if not left[shard]:
            del left[shard]
        match draw(st.sampled_from(["", "", "", "wait", "recover", "log", "retry"])):
            case "wait":
                log.write("run:wait", reason="retry", until=None)
                log.write("run:resume")
            case "recover":
                log.write("run:recover", claims=2)
            case "log":
                log.write("log:write", level="info", message="a word", data=None)
            case "retry":
                log.write("step:retry", _name(step_id, shard) + ": model", error={}, delay_seconds=1, frames=1)


def _do(log: Log, what: str, step_id: str, shard: int | None) -> None:
    model = f"{_name(step_id, shard)}: model"
    match what:
        case "start":
            log.write("step:start", model, kind="stream")
        case "model":
            log.reset(model)
        case "frames":
            log.emit(model, 0, "sa")
            log.emit(model, 1, "id")
        case "told":
            log.write("step:complete", model, output={"message": "said"}, frames=2)
        case "record":
            log.record(step_id, shard)
