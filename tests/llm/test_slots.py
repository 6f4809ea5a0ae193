"""No more calls at once than a profile allows, over all workers, in the order in which they asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from uuid_utils.compat import uuid7

from flows.llm import slot_queue
from flows.llm.chat import chat
from flows.llm.errors import ProfileNotFound, SlotLost
from flows.llm.models import CallSlot, ProviderProfile
from flows.llm.slot_rows import Ask, give_back, take_turn
from flows.llm.slots import hold_slot
from runs import jobs
from runs.jobs import StepContext, job
from runs.models import Run, Worker
from runs.testing import claim_for, drain, frozen_worker, run_to_end
from tests.llm.conftest import Profile


@pytest.fixture
def busy_run() -> UUID:
    """A run that a worker drives."""

    @job("busy")
    async def busy(step: StepContext) -> None: ...

    run = jobs.start("busy", {}).run
    claim_for(frozen_worker())
    return run.id


def limited(profile: Profile, concurrency: int | None) -> str:
    return profile("limited", limits={} if concurrency is None else {"concurrency": concurrency}).id


def asks(run_id: UUID, count: int) -> list[Ask]:
    return [Ask(uuid7(), run_id, "call") for _ in range(count)]


def tickets(made: list[Ask]) -> list[UUID]:
    return [one.ticket for one in made]


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """In a thread that leaves no connection behind."""

    def call() -> Any:
        try:
            return function(*args)
        finally:
            connections.close_all()

    return await asyncio.to_thread(call)


class Many:
    """Calls that hold slots until they are told to end."""

    def __init__(self, run_id: UUID) -> None:
        self._run_id = run_id
        self.now = self.most = 0
        self.order: list[int] = []

    async def call(self, number: int, end: asyncio.Event) -> None:
        async with hold_slot("limited", self._run_id, f"call-{number}"):
            self.order.append(number)
            self.now += 1
            self.most = max(self.most, self.now)
            await end.wait()
            self.now -= 1

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(30):
            while self.now < count:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def going(*calls: Any) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_the_first_that_asked_hold_a_slot_and_those_after_them_move_up(profile: Profile, busy_run: UUID) -> None:
    limited(profile, 2)
    first, second = asks(busy_run, 2), asks(busy_run, 2)
    assert take_turn("limited", first, [], tickets(first)).granted == set(tickets(first))
    look = take_turn("limited", second, [], tickets(second))
    assert look.granted == set()
    assert look.live == set(tickets(second))
    give_back([first[0].ticket])
    assert take_turn("limited", [], [], tickets(second)).granted == {second[0].ticket}


def test_an_ask_that_is_written_again_takes_no_second_place(profile: Profile, busy_run: UUID) -> None:
    limited(profile, 1)
    made = asks(busy_run, 1)
    take_turn("limited", made, [], [])
    take_turn("limited", made, [], [])
    assert CallSlot.objects.count() == 1


def test_slots_of_a_dead_worker_are_free_at_once(profile: Profile, busy_run: UUID) -> None:
    limited(profile, 1)
    lost = asks(busy_run, 1)
    take_turn("limited", lost, [], [])
    Worker.objects.all().delete()  # as when the process ends, or is found dead by a neighbour

    @job("other")
    async def other(step: StepContext) -> None: ...

    run = jobs.start("other", {}).run
    claim_for(frozen_worker())
    mine = asks(run.id, 1)
    assert take_turn("limited", mine, [], tickets(mine)).granted == set(tickets(mine))
    assert take_turn("limited", [], [], tickets(lost)).live == set()
    assert CallSlot.objects.count() == 1, "the row is gone"


def test_a_run_without_a_worker_gets_none(profile: Profile) -> None:
    limited(profile, 1)
    made = asks(uuid7(), 1)
    assert take_turn("limited", made, [], tickets(made)).live == set()


@pytest.mark.parametrize(("limit", "granted"), [(3, 3), (1, 1), (None, 4)])
def test_a_changed_limit_holds_at_the_next_look(
    profile: Profile, busy_run: UUID, limit: int | None, granted: int
) -> None:
    limited(profile, 2)
    made = asks(busy_run, 4)
    assert len(take_turn("limited", made, [], tickets(made)).granted) == 2
    limited(profile, limit)
    assert len(take_turn("limited", [], [], tickets(made)).granted) == granted


async def test_calls_of_one_process_come_one_after_another_in_their_order(profile: Profile, busy_run: UUID) -> None:
    await in_thread(limited, profile, 2)
    many, end = Many(busy_run), asyncio.Event()
    async with going(*(many.call(number, end) for number in range(6))) as tasks:
        await many.reach(2)
        end.set()
        async with asyncio.timeout(30):
            await asyncio.gather(*tasks)
    assert many.most == 2
    assert many.order == list(range(6))


async def test_who_is_cancelled_leaves_the_queue(profile: Profile, busy_run: UUID) -> None:
    await in_thread(limited, profile, 1)
    many, end = Many(busy_run), asyncio.Event()
    async with going(*(many.call(number, end) for number in range(3))) as (holding, waiting, last):
        await many.reach(1)
        waiting.cancel()
        holding.cancel()
        await asyncio.gather(holding, waiting, return_exceptions=True)
        many.now = 0
        await many.reach(1)
        assert many.order == [0, 2]
        end.set()
        await last


async def test_a_profile_that_is_deleted_fails_those_that_wait_and_lets_the_others_end(
    profile: Profile, busy_run: UUID
) -> None:
    await in_thread(limited, profile, 1)
    many, end = Many(busy_run), asyncio.Event()
    async with going(*(many.call(number, end) for number in range(2))) as (holding, waiting):
        await many.reach(1)
        await ProviderProfile.objects.filter(pk="limited").adelete()
        with pytest.raises(ProfileNotFound):
            await asyncio.wait_for(waiting, 30)
        end.set()
        await asyncio.wait_for(holding, 30)


async def test_a_call_whose_worker_lost_its_lease_is_ended(
    profile: Profile, busy_run: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot_queue, "HELD_LOOK_SECONDS", 0.02)
    await in_thread(limited, profile, 1)
    many = Many(busy_run)
    async with going(many.call(0, asyncio.Event())) as (holding,):
        await many.reach(1)
        await Worker.objects.all().adelete()
        with pytest.raises(SlotLost):
            await asyncio.wait_for(holding, 30)


def test_a_call_gives_its_slot_back_however_it_ends(profile: Profile) -> None:
    profile(
        "limited", rules=[{"match": "fail", "fail": {"code": "refused"}}, {"text": "fine"}], limits={"concurrency": 1}
    )

    @job("calls")
    async def calls(step: StepContext) -> list[str]:
        async def one(number: int) -> str:
            text = "fail" if number % 2 else "answer"
            try:
                return (await chat(step, f"call-{number}", text, profile="limited")).text
            except Exception as exc:
                return str(getattr(exc, "error", {}).get("type"))

        return list(await asyncio.gather(*(one(number) for number in range(4))))

    run = run_to_end(jobs.start("calls", {}).run)
    assert run.output == ["fine", "Refused", "fine", "Refused"]
    assert not CallSlot.objects.exists()


def test_a_cancelled_run_frees_its_slot(profile: Profile) -> None:
    profile("limited", rules=[{"delay_seconds": 60}], limits={"concurrency": 1})

    @job("hangs")
    async def hangs(step: StepContext) -> None:
        async def cancel() -> None:
            while not await CallSlot.objects.aexists():
                await asyncio.sleep(0.01)
            await in_thread(jobs.cancel, step.run_id)

        await asyncio.gather(chat(step, "call", "Hello", profile="limited"), step.run("cancel", cancel))

    run = jobs.start("hangs", {}).run
    drain()
    assert Run.objects.get(pk=run.pk).status == "cancelled"
    assert not CallSlot.objects.exists()
