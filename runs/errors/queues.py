"""What queues are refused for."""

from runs.errors.base import RunsError


class QueueNotFound(RunsError):
    code = "queue_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"Nothing is set for a queue {name[:100]!r}. Look at /api/queues/, or set something for it.")
