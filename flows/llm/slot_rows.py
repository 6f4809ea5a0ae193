"""The rows of slots: asked for in order under the profile's lock, held by the first `concurrency` that live."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from flows.llm.errors import ProfileNotFound
from flows.llm.models import CallSlot, ProviderProfile
from runs import clock
from runs.models import Run, Worker


@dataclass(frozen=True, slots=True)
class Ask:
    """One call that wants a slot; `ticket` names its row."""

    ticket: UUID
    run_id: UUID
    step: str


@dataclass(frozen=True, slots=True)
class Look:
    """`granted`: the tickets that hold a slot; `live`: all that have a row which counts."""

    granted: frozenset[UUID]
    live: frozenset[UUID]


def take_turn(profile_id: str, asks: Iterable[Ask], leaving: Iterable[UUID], ours: Iterable[UUID]) -> Look:
    """Give back the slots of `leaving`, queue up `asks`, and look which of `ours` have one. Raises ProfileNotFound.

    One transaction for all calls of a process. Whoever gets a number holds the profile's lock until it is committed,
    so no lower number appears later than a higher one that was seen; looking needs no lock, because those before one
    only get fewer.
    """
    asks, leaving = list(asks), list(leaving)
    if asks:
        with transaction.atomic():
            _queue_up(profile_id, asks)
            give_back(leaving)
    elif leaving:
        give_back(leaving)
    return look(profile_id, ours)


def give_back(tickets: list[UUID]) -> None:
    CallSlot.objects.filter(ticket__in=tickets).delete()


def look(profile_id: str, ours: Iterable[UUID]) -> Look:
    """Raises ProfileNotFound."""
    limits = ProviderProfile.objects.filter(pk=profile_id).values_list("limits", flat=True).first()
    if limits is None:
        raise ProfileNotFound(profile_id)
    order = list(_live(profile_id).values_list("ticket", flat=True))
    wanted = frozenset(ours)
    first = order[: limits.get("concurrency")]
    return Look(wanted.intersection(first), wanted.intersection(order))


def _queue_up(profile_id: str, asks: list[Ask]) -> None:
    locked = ProviderProfile.objects.select_for_update(no_key=True).filter(pk=profile_id)
    if not locked.values_list("pk", flat=True):
        raise ProfileNotFound(profile_id)
    CallSlot.objects.filter(profile_id=profile_id).exclude(pk__in=_live(profile_id).values("pk")).delete()
    runs = Run.objects.filter(pk__in=[ask.run_id for ask in asks])
    workers = {run: worker for run, worker in runs.values_list("pk", "lease_worker") if worker is not None}
    now = clock.now()
    rows = [
        CallSlot(
            profile_id=profile_id, ticket=ask.ticket, worker=workers[ask.run_id], run_id=ask.run_id, step=ask.step,
            asked_at=now,
        )
        for ask in asks if ask.run_id in workers
    ]  # fmt: skip
    CallSlot.objects.bulk_create(rows, ignore_conflicts=True)


def _live(profile_id: str) -> QuerySet[CallSlot]:
    """Those whose worker has a lease, in order."""
    leased = Worker.objects.filter(pk=OuterRef("worker"), expires_at__gt=clock.sql_now())
    return CallSlot.objects.filter(Exists(leased), profile_id=profile_id).order_by("pk")
