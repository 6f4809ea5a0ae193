"""Ordinary tasks of django-q2 in the ORM broker's table, with a redelivery clock of our own.

django-q2 holds a pack for one fixed time, so a long task is delivered twice and the task of a killed process waits for
that whole time. Here a pack is held for a minute, and held on for as long as a process works on it.
"""

from datetime import timedelta
from typing import Any

from django_q.conf import Conf
from django_q.models import OrmQ

from runs import clock

HOLD = timedelta(seconds=60)


def packs(key: str) -> Any:
    """The packs of one queue."""
    return OrmQ.objects.using(Conf.ORM or "default").filter(key=key)


def put(key: str, payload: str) -> int:
    """Store a pack in the caller's transaction; returns its id."""
    row = OrmQ.objects.using(Conf.ORM or "default").create(key=key, payload=payload, lock=clock.sql_now())
    return int(row.pk)


def take(key: str) -> tuple[int, str] | None:
    """The oldest pack that nobody holds, held from now on: (id, payload)."""
    for pack in packs(key).filter(lock__lte=clock.sql_now()).order_by("pk")[:8]:
        # Another cluster may be faster: whoever changes the row has it.
        if packs(key).filter(pk=pack.pk, lock=pack.lock).update(lock=clock.sql_now() + HOLD):
            return pack.pk, pack.payload
    return None


def hold_on(key: str, pack_id: int) -> None:
    """Somebody works on it."""
    packs(key).filter(pk=pack_id, lock__gt=clock.sql_now()).update(lock=clock.sql_now() + HOLD)


def waiting(key: str) -> int:
    return int(packs(key).filter(lock__lte=clock.sql_now()).count())


def held(key: str) -> int:
    return int(packs(key).filter(lock__gt=clock.sql_now()).count())
