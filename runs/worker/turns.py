"""Which driver of a host claims at once when a run becomes due: all at the same moment would share its processors."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

STAND_BACK_SECONDS: Final = 0.003
"""So much later the others look, should the one whose turn it is have no room, or be gone."""


def is_turn(slot: int, drivers: int, run_ids: Sequence[UUID]) -> bool:
    """Whether the driver in `slot`, one of `drivers`, claims at once: one run names one of them, several all."""
    return len(run_ids) > 1 or any(run_id.int % drivers == slot for run_id in run_ids)
