"""Which claim the running code belongs to: the loaded run and its token."""

import contextvars
from uuid import UUID

_claim: contextvars.ContextVar[tuple[UUID, int] | None] = contextvars.ContextVar("simulated_claim", default=None)


def drive_under(run: UUID, token: int) -> None:
    """What is begun from here on in this context belongs to this claim of the run."""
    _claim.set((run, token))


def current_token(run: UUID) -> int | None:
    """The token under which this code drives the run."""
    claim = _claim.get()
    return claim[1] if claim is not None and claim[0] == run else None
