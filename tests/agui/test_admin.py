"""Conversations in the admin are read by whoever may view them; deleting needs its own permission."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from perdure.agui.models import ProtocolRun, Thread, ThreadMessage, Turn
from runs import jobs
from runs.models import Audit
from runs.testing import drain
from tests.agui.conftest import only_run, say

pytestmark = pytest.mark.usefixtures("transactional_db")


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_every_page_shows_what_is_kept(bob: User, root: User) -> None:
    turn = say(bob, "t1", "<b>hello</b>", state={"colour": "red"})
    drain()
    client = browser(root)
    rows: list[Any] = [turn.thread, turn, only_run(turn), ThreadMessage.objects.first()]
    for row, model in zip(rows, (Thread, Turn, ProtocolRun, ThreadMessage), strict=True):
        page = f"/admin/agui/{model._meta.model_name}/"
        listed, shown = client.get(page), client.get(f"{page}{row.pk}/change/")
        assert listed.status_code == shown.status_code == 200
        assert "<b>hello</b>" not in listed.content.decode() + shown.content.decode()
        assert client.get(f"{page}add/").status_code == 403
        assert client.post(f"{page}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert (
        f"/admin/runs/run/{turn.run_id}/change/" in client.get(f"/admin/agui/turn/{turn.pk}/change/").content.decode()
    )
    assert client.get("/admin/agui/thread/no-id/change/").status_code == 302


def test_deleting_cancels_and_needs_the_permission(bob: User, stranger: User, root: User) -> None:
    turn = say(bob, "t1", "bob", job="talk-ask")
    drain()
    stranger.is_staff = True
    stranger.save()
    stranger.user_permissions.add(Permission.objects.get(codename="view_thread"))
    chosen = {"action": "delete_threads", "_selected_action": [str(turn.thread.pk)]}
    browser(stranger).post("/admin/agui/thread/", chosen)
    assert Thread.objects.exists()
    page = browser(root).post("/admin/agui/thread/", chosen, follow=True)
    assert "1 deleted." in page.content.decode()
    assert not Thread.objects.exists()
    assert jobs.get(turn.run_id).status == "cancelled"  # type: ignore[arg-type]
    assert Audit.objects.filter(action="thread.delete", actor_name="root").exists()
