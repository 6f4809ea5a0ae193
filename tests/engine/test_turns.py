"""One run that becomes due is claimed by one driver of a host at once, and many by all."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from runs.worker.turns import is_turn

IDS = st.uuids()
DRIVERS = st.integers(1, 8)


@given(IDS, DRIVERS)
def test_a_run_names_one_driver(run_id: UUID, drivers: int) -> None:
    assert sum(is_turn(slot, drivers, [run_id]) for slot in range(drivers)) == 1


@given(st.lists(IDS, min_size=2, max_size=5), DRIVERS)
def test_several_runs_name_all(run_ids: list[UUID], drivers: int) -> None:
    assert all(is_turn(slot, drivers, run_ids) for slot in range(drivers))
