"""Waits for child runs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runs.engine.history import StepRecord
from runs.engine.ports import Kernel
from runs.engine.waits import Arrived, DurableWait
from runs.errors import ChildFailed, RunsError
from runs.events.types import EventDraft, EventType
from runs.models import StepStatus


@dataclass(frozen=True, slots=True)
class ChildEnd:
    """Where a child run stands: None of the others while it has not ended."""

    status: str
    output: Any = None
    error: dict[str, Any] | None = None


class ChildStart(DurableWait):
    """Over as soon as the child is there. The row holds the child's id first, so a crash in between starts it once."""

    kind = "start_child"

    def __init__(
        self, kernel: Kernel, record: StepRecord, child_id: str, job: str, begin: Callable[[str], None]
    ) -> None:
        """`begin(child_id)` starts the child if it is not there yet; it runs in a thread."""
        super().__init__(kernel, record)
        recorded = record.output or {} if record.status == StepStatus.RUNNING else {}
        self._child_id = str(recorded.get("run") or child_id)
        self._job, self._start = job, begin
        self.reason = f"child {job}"

    @property
    def kept(self) -> str:
        return json.dumps({"run": self._child_id})

    def first_events(self) -> tuple[EventDraft, ...]:
        data = {"child": self._child_id, "job": self._job}
        return (EventDraft(EventType.CHILD_START, data, self.record.name, 1),)

    async def look(self) -> Arrived | None:
        await self._kernel.in_thread(self._start, self._child_id)
        return Arrived({"run": self._child_id})

    def give(self, value: Any) -> Any:
        return value["run"]


class ChildWait(ChildStart):
    """Over when the child has ended."""

    kind = "child"
    on_mail = True

    def __init__(
        self, kernel: Kernel, record: StepRecord, child_id: str, job: str, begin: Callable[[str], None],
        find: Callable[[str], ChildEnd | None], parse: Callable[[Any], Any],
    ) -> None:  # fmt: skip
        """`find(child_id)` says how the child ended, in a thread; `parse` types its output."""
        super().__init__(kernel, record, child_id, job, begin)
        self._find, self._parse = find, parse
        self._is_there = False

    async def look(self) -> Arrived | None:
        if not self._is_there:
            await self._kernel.in_thread(self._start, self._child_id)
            self._is_there = True
        await self._kernel.mailbox.look()  # the unload is conditional on this inbox, read before the child is
        end = await self._kernel.in_thread(self._find, self._child_id)
        return None if end is None else self._ended(end)

    def _ended(self, end: ChildEnd) -> Arrived:
        data = {"child": self._child_id, "job": self._job, "status": end.status}
        event = EventDraft(EventType.CHILD_END, data, self.record.name, 1)
        if end.status == "completed":
            return Arrived({"run": self._child_id, "output": end.output}, (event,))
        error = {"type": "ChildFailed", "message": str((end.error or {}).get("message", end.status))}
        return Arrived(events=(event,), error=error | {"run": self._child_id, "status": end.status, "job": self._job})

    def give(self, value: Any) -> Any:
        return self._parse(value["output"])

    def failure(self, error: dict[str, Any]) -> RunsError:
        return ChildFailed(
            str(error.get("job")), str(error.get("run")), str(error.get("status")), str(error.get("message"))
        )
