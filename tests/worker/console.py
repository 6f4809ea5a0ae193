"""Answers questions of a test inside an installation's own settings and database: one JSON line each way.

A `manage.py` command for each of them would cost a second and more.
"""

import asyncio
import json
import sys
import threading
from typing import Any

import django


def start(job: str, value: Any, queue: str | None = None) -> str:
    from runs import jobs

    return str(jobs.start(job, value, queue=queue).run.id)


def start_many(job: str, value: Any, count: int) -> list[str]:
    return [start(job, value) for _ in range(count)]


def plan_once(name: str, job: str, value: Any, seconds: float) -> str:
    """A schedule that is due in so many seconds."""
    from datetime import timedelta

    from runs import clock, jobs

    spec = jobs.ScheduleSpec(name=name, job=job, input=value, at=clock.now() + timedelta(seconds=seconds))
    return str(jobs.create_schedule(spec).id)


def runs_of(schedule_id: str) -> list[dict[str, Any]]:
    """The runs that a schedule started; `late` is in seconds."""
    from runs.models import Run

    found = Run.objects.filter(concurrency_key=f"schedule:{schedule_id}")
    return [
        {"id": str(run.id), "status": run.status, "late": (run.created_at - run.run_at).total_seconds()}
        for run in found
    ]


def count_runs(status: str) -> int:
    from runs.models import Run

    return Run.objects.filter(status=status).count()


def count_steps(status: str) -> int:
    from runs.models import Step

    return Step.objects.filter(status=status).count()


def cancel(run_id: str) -> None:
    from runs import jobs

    jobs.cancel(run_id)


def run(run_id: str) -> dict[str, Any]:
    from runs.models import Run

    return dict(Run.objects.values().get(pk=run_id))


def events(run_id: str) -> list[dict[str, Any]]:
    from runs.models import Event

    return list(Event.objects.filter(run=run_id).order_by("sequence").values("sequence", "type", "step", "data"))


def attempts(run_id: str) -> list[dict[str, Any]]:
    from runs.models import Attempt

    return list(Attempt.objects.filter(run=run_id).values())


def grant(run_id: str, amounts: dict[str, float]) -> None:
    from runs import jobs

    jobs.grant_budget(run_id, amounts)


def spent(run_id: str) -> dict[str, float]:
    from runs import jobs

    state = jobs.budget_state(jobs.get(run_id))
    return state.spent if state is not None else {}


def questions(run_id: str) -> list[dict[str, Any]]:
    from hitl.models import Question

    return list(Question.objects.filter(run=run_id).order_by("id").values("kind", "status"))


def workers() -> list[dict[str, Any]]:
    from runs import clock
    from runs.models import Worker

    return list(Worker.objects.with_driving().filter(expires_at__gt=clock.sql_now()).values("id", "pid", "driving"))


def task(function: str, *arguments: Any) -> str:
    from django_q.tasks import async_task

    return str(async_task(function, *arguments))


def schedule_now(function: str, *arguments: Any) -> None:
    """A django-q2 schedule that is due; its scheduler is called as the guard loop calls it."""
    from django_q.tasks import schedule

    schedule(function, *arguments, schedule_type="O", repeats=1)


def packs() -> int:
    from django_q.models import OrmQ

    return OrmQ.objects.count()


def signal(run_id: str, name: str, payload: Any, key: str) -> str:
    from runs import jobs

    return jobs.signal(run_id, name, payload, idempotency_key=key).disposition


def consumers(run_id: str) -> list[Any]:
    """(payload, the step that took it) of each signal, in order of arrival."""
    from runs.models import Signal

    return list(Signal.objects.filter(run=run_id).order_by("id").values_list("payload", "consumed_by"))


def count_groups(name: str) -> int:
    from django.contrib.auth.models import Group

    return Group.objects.filter(name=name).count()


def forget_newest_migration(app: str) -> str:
    """As if it had never been applied; its name."""
    from django.db.migrations.recorder import MigrationRecorder

    newest = MigrationRecorder.Migration.objects.filter(app=app).order_by("-name")[0]
    newest.delete()
    return str(newest.name)


_heard: list[dict[str, Any]] = []


def listen(run_id: str) -> None:
    """Watch a run on the live bus as a reader process does; returns once it listens."""
    listening = threading.Event()
    threading.Thread(target=lambda: asyncio.run(_listen(run_id, listening)), daemon=True).start()
    assert listening.wait(10)


async def _listen(run_id: str, listening: threading.Event) -> None:
    from runs.events.bus import DRIVERS, make_bus, reader_topic

    bus = make_bus()
    await bus.subscribe(reader_topic("console"), lambda message: _heard.extend(message["parts"]))
    listening.set()
    while True:
        await bus.publish(DRIVERS, {"kind": "interest", "reader": "console", "runs": [run_id]})
        await asyncio.sleep(1)


def heard(kind: str) -> list[dict[str, Any]]:
    """The messages of that kind so far."""
    return [message for message in _heard if message["kind"] == kind]


def main() -> None:
    from django.db import connections

    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            answer = {"value": globals()[name](*arguments)}
        except Exception as exc:
            answer = {"error": f"{type(exc).__name__}: {exc}"}
        connections.close_all()
        print(json.dumps(answer, default=str), flush=True)  # noqa: T201


if __name__ == "__main__":
    django.setup()
    main()
