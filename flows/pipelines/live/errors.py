"""What the stream of a job refuses."""

from typing import Any

from runs.errors import RunsError


class OutsideWindow(RunsError):
    """The reader's number is none of this stream, or its lines are no longer held."""

    code = "stream_window_passed"

    def __init__(self, after_seq: int, first_seq: int | None, last_seq: int | None) -> None:
        self.first_seq, self.last_seq = first_seq, last_seq
        held = "no line is held any more" if first_seq is None else f"lines {first_seq} to {last_seq} are held"
        remedy = "Get the job itself" if first_seq is None else "Begin with after_seq=0, or get the job itself"
        super().__init__(f"Nothing follows after_seq={after_seq} in this stream: {held}. {remedy}.")

    @property
    def details(self) -> dict[str, Any]:
        return {"first_seq": self.first_seq, "last_seq": self.last_seq}
