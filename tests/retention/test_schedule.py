"""Clean-up runs once an hour among django-q2's own schedules."""

from datetime import timedelta

import pytest
from django.utils.module_loading import import_string
from django_q.brokers import get_broker
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler
from django_q.signing import SignedPackage

from runs import clock
from runs.models import Run
from runs.worker.schedules import CLEAN_UP, keep_clean_up_scheduled

pytestmark = pytest.mark.django_db(transaction=True)  # django-q2 closes the connection


def test_a_migrated_database_has_the_schedule_and_what_an_operator_changes_stays() -> None:
    keep_clean_up_scheduled()
    schedule = Schedule.objects.get(name=CLEAN_UP)
    assert (schedule.schedule_type, schedule.repeats) == (Schedule.HOURLY, -1)
    Schedule.objects.filter(id=schedule.id).update(schedule_type=Schedule.DAILY)
    keep_clean_up_scheduled()
    assert Schedule.objects.get(name=CLEAN_UP).schedule_type == Schedule.DAILY


def test_a_due_schedule_puts_a_task_that_cleans_up() -> None:
    keep_clean_up_scheduled()
    at = clock.now() - timedelta(days=40)
    Run.objects.create(job="old", status="failed", created_at=at, run_at=at, finished_at=at)
    Schedule.objects.exclude(name=CLEAN_UP).delete()
    Schedule.objects.update(next_run=clock.now() - timedelta(seconds=1))
    OrmQ.objects.all().delete()
    scheduler(broker=get_broker())
    task = SignedPackage.loads(OrmQ.objects.get().payload)
    pruned = import_string(task["func"])(*task["args"], **task["kwargs"])
    assert (pruned.runs, Run.objects.count()) == (1, 0)
    assert Schedule.objects.get(name=CLEAN_UP).next_run > clock.now()
