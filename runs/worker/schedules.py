"""The schedules of django-q2 that the engine needs: clean-up, once an hour."""

from typing import Any, Final

from django.db import connections
from django_q.conf import Conf
from django_q.models import Schedule

CLEAN_UP: Final = "Clean up ended runs"
_SECONDS: Final = 500  # less than django-q2 gives a task; the next hour goes on where this one stopped


def keep_clean_up_scheduled(**_: Any) -> None:
    """After each migration: the schedule is there, as an operator may have changed it."""
    using = Conf.ORM or "default"
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return  # only some apps are migrated yet
    Schedule.objects.using(using).get_or_create(
        name=CLEAN_UP,
        defaults={
            "func": "runs.maintenance.retention.prune",
            "kwargs": f"seconds={_SECONDS}",
            "schedule_type": Schedule.HOURLY,
            "repeats": -1,
        },
    )
