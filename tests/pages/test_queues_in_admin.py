"""Queues in the admin: added, changed, paused and removed by those who may, each time with an audit row."""

from collections.abc import Callable

from django.contrib.auth.models import Permission, User
from django.test import Client

from runs import jobs
from runs.engine.store.rows import SYSTEM
from runs.models import Audit, Queue

SignedIn = Callable[..., Client]


def test_an_administrator_sets_pauses_and_removes_a_queue(administrator: User, signed_in: SignedIn) -> None:
    client = signed_in(administrator)
    client.post("/admin/runs/queue/add/", {"name": "gpu", "concurrency": "2"})
    queue = Queue.objects.get()
    assert (queue.name, queue.concurrency, queue.is_paused) == ("gpu", 2, False)
    refused = client.post("/admin/runs/queue/add/", {"name": "mail", "concurrency": "0"})
    assert "greater than or equal to 1" in refused.content.decode()
    client.post(f"/admin/runs/queue/{queue.pk}/change/", {"concurrency": "", "name": "other"})
    queue.refresh_from_db()
    assert (queue.name, queue.concurrency) == ("gpu", None)
    act(client, "pause_queues", queue)
    assert "paused" in client.get("/admin/runs/queue/").content.decode()
    assert Queue.objects.get().is_paused
    act(client, "resume_queues", queue)
    assert not Queue.objects.get().is_paused
    client.post(f"/admin/runs/queue/{queue.pk}/delete/", {"post": "yes"})
    assert not Queue.objects.exists()
    actions = list(
        Audit.objects.filter(target="gpu", actor_name="root").values_list("action", flat=True).order_by("id")
    )
    assert actions == ["queue.set"] * 4 + ["queue.forget"]


def act(client: Client, action: str, queue: Queue) -> None:
    client.post("/admin/runs/queue/", {"action": action, "_selected_action": [str(queue.pk)]})


def test_staff_that_may_only_look_changes_nothing(administrator: User, signed_in: SignedIn) -> None:
    jobs.set_queue("gpu", SYSTEM, concurrency=2, is_paused=False)
    queue = Queue.objects.get()
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_queue"))
    client = signed_in(looker)
    assert "gpu" in client.get("/admin/runs/queue/").content.decode()
    act(client, "pause_queues", queue)
    assert client.post(f"/admin/runs/queue/{queue.pk}/change/", {"concurrency": "9"}).status_code == 403
    assert client.post("/admin/runs/queue/add/", {"name": "x"}).status_code == 403
    assert list(Queue.objects.values_list("name", "concurrency", "is_paused")) == [("gpu", 2, False)]
