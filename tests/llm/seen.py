"""The frames that readers of a run would see."""

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from uuid import UUID

from runs.engine.ports import NoFrames


class Seen(NoFrames):
    """Keeps what each attempt of each step emitted, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)

    def emitter(self, run_id: UUID, step: str, epoch: int, attempt: int) -> Callable[[bytes], None]:
        count = super().emitter(run_id, step, epoch, attempt)

        def keep(data: bytes) -> None:
            count(data)
            self.frames[step, attempt].append(json.loads(data))

        return keep

    def text(self, step: str, attempt: int = 1) -> str:
        return "".join(frame["text"] for frame in self.frames[step, attempt] if frame["type"] == "text")
