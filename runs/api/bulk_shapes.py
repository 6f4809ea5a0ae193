"""What REST says of many runs at once."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from runs.api.shapes import Shape


class StartedOne(Shape):
    id: UUID
    disposition: Literal["created", "idempotent", "coalesced"]


class StartedRuns(Shape):
    """The runs, in the order of the request."""

    runs: list[StartedOne]


class Refused(Shape):
    """A run to which it could not be done."""

    id: UUID
    code: str = Field(description="Code of the error that the run alone would have got.")


class BulkShape(Shape):
    """What became of the selected runs."""

    done: int
    refused: list[Refused]
    left: int = Field(description="Selected runs beyond the limit.")
