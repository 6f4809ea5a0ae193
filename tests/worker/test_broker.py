"""The broker's contract with django-q2, method by method, on the suite's database."""

import inspect
import os
from types import SimpleNamespace

import pytest
from django.db import OperationalError, transaction
from django_q.brokers import Broker, get_broker
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from runs.worker import board as boards
from runs.worker import packs
from runs.worker.board import Board, Work
from runs.worker.broker import RunsBroker, drivers

pytestmark = pytest.mark.django_db


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Board:
    """The board of a cluster whose only driver slot is taken by this process."""
    made = Board()
    monkeypatch.setattr(boards, "_inherited", made)
    for slot in range(drivers()):
        made.take_slot(slot, os.getpid())
    return made


@pytest.fixture
def broker() -> RunsBroker:
    found = get_broker()
    assert isinstance(found, RunsBroker)
    return found


def test_every_method_of_a_broker_is_our_own() -> None:
    expected = {name for name, _ in inspect.getmembers(Broker, inspect.isroutine) if not name.startswith("_")}
    assert expected <= set(vars(RunsBroker)), f"inherited from the base: {expected - set(vars(RunsBroker))}"


def test_what_is_enqueued_is_dequeued_once_and_in_order(broker: RunsBroker, board: Board) -> None:
    ids = [broker.enqueue(f"pack-{number}") for number in range(2)]
    assert broker.queue_size() == 2
    assert broker.dequeue() == [(ids[0], "pack-0")]
    assert (broker.queue_size(), broker.lock_size()) == (1, 1)
    assert broker.dequeue() is None, "one ordinary task at a time: the others would take a driver's place"
    board.count_taken(0, Work.TASK)
    assert broker.dequeue() == [(ids[1], "pack-1")]


def test_an_acknowledged_pack_is_gone(broker: RunsBroker, board: Board) -> None:
    broker.enqueue("pack")
    found = broker.dequeue()
    assert found
    broker.acknowledge(found[0][0])  # type: ignore[arg-type]
    assert not OrmQ.objects.exists()


def test_an_unreadable_pack_is_removed_and_does_not_block_the_next(broker: RunsBroker, board: Board) -> None:
    broker.enqueue("unreadable")
    broker.enqueue("next")
    found = broker.dequeue()
    assert found
    broker.fail(found[0][0])
    assert [payload for _, payload in broker.dequeue() or []] == ["next"]


def test_delete_and_purge_forget_packs(broker: RunsBroker) -> None:
    first = broker.enqueue("one")
    broker.enqueue("two")
    broker.delete(first)
    assert broker.queue_size() == 1
    assert broker.purge_queue() == 1
    broker.enqueue("three")
    assert broker.delete_queue() == 1


def test_a_rolled_back_transaction_enqueues_nothing(broker: RunsBroker) -> None:
    with transaction.atomic():
        async_task("math.sqrt", 4)
        transaction.set_rollback(True)
    assert broker.queue_size() == 0


def test_a_pack_is_held_for_as_long_as_somebody_works_on_it(broker: RunsBroker) -> None:
    broker.enqueue("long")
    taken = packs.take(broker.list_key)
    assert taken is not None
    before = OrmQ.objects.get().lock
    packs.hold_on(broker.list_key, taken[0])
    assert OrmQ.objects.get().lock > before
    assert packs.take(broker.list_key) is None


def test_an_empty_slot_gets_one_ticket(broker: RunsBroker, board: Board) -> None:
    board.take_slot(0, 0)
    tickets = broker.dequeue()
    assert tickets is not None
    assert [ack for ack, _ in tickets] == [None], "a ticket is never acknowledged nor delivered again"
    pack = SignedPackage.loads(tickets[0][1])
    assert (pack["func"], pack["args"]) == ("runs.worker.drive.drive", (0,))
    assert (pack["timeout"], pack["save"]) == (-1, False)
    assert broker.dequeue() is None, "its last hand-out is younger than two seconds"


def test_dequeue_hands_out_nothing_while_the_cluster_stops(broker: RunsBroker, board: Board) -> None:
    broker.enqueue("pack")
    board.take_slot(0, 0)
    board.tell_to_stop()
    assert broker.dequeue() is None


def test_dequeue_survives_a_database_that_does_not_answer(
    broker: RunsBroker, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(key: str) -> None:
        board.tell_to_stop()  # do not wait for the next try
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(packs, "take", refuse)
    monkeypatch.setattr("runs.worker.broker.connections", SimpleNamespace(close_all=lambda: None))
    assert broker.dequeue() is None


def test_a_stopping_sentinel_stops_the_drivers(broker: RunsBroker, board: Board) -> None:
    def save(status: object) -> None:
        stat = SimpleNamespace(status=status, sentinel=11, monitor=12, pusher=13)
        broker.set_stat("key", SignedPackage.dumps(stat, True), 3)

    save(Conf.IDLE)
    assert not board.stopping
    assert board.staff == {"sentinel": 11, "monitor": 12, "pusher": 13}
    age = board.seconds_since_beat
    assert age is not None
    assert age < 1
    save(Conf.STOPPING)
    assert board.stopping


def test_outside_a_cluster_nothing_is_handed_out_or_kept(broker: RunsBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "_inherited", None)
    broker.enqueue("pack")
    assert broker.dequeue() is None
    assert broker.ping() is True
    broker.set_stat("key", "not even a pack", 3)
    assert (broker.get_stat("key"), broker.get_stats("*")) == (None, [])
    assert broker.info().startswith("runs on")
    assert broker.get_connection() is None
    assert broker.get_cache() is not None
