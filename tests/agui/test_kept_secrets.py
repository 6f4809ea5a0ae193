"""What a run's input declares secret stands in no row of its thread."""

from ag_ui.core import UserMessage
from django.contrib.auth.models import User
from django.db import transaction

from perdure.agui.models import ProtocolRun, Thread, ThreadMessage
from perdure.agui.threads import open_thread
from perdure.agui.transcript import history
from perdure.agui.turns import ClientRun, add_turn, continue_turn, labels_of
from runs import jobs
from runs.testing import drain


def test_secrets_of_the_input_are_masked_in_messages_properties_and_titles(bob: User, transactional_db: None) -> None:
    said = UserMessage(id="u1", content="sign me in with hunter2, please", name="Bob")
    parts = UserMessage(id="u2", content=[{"type": "text", "text": "hunter2"}])  # type: ignore[list-item]
    props = {"forwardedProps": {"input": {"password": "hunter2", "site": "example.org"}, "deep": ["x hunter2 y", 1]}}
    with transaction.atomic():
        thread = open_thread(bob, "t1")
        given = {"password": "hunter2"}
        run = jobs.start("talk-sign-in", given, owner=bob, labels=labels_of(thread)).run
        turn, _ = add_turn(thread, run, [said, parts], ClientRun(run_id="r1", input=props))
        continue_turn(turn, ClientRun(run_id="r2", input=props))
    drain()
    assert jobs.get(run.id).output == "signed in to example.org"
    rows = [*ThreadMessage.objects.values(), *ProtocolRun.objects.values(), *Thread.objects.values()]
    assert "hunter2" not in str(rows)
    assert Thread.objects.get().title == "sign me in with ***, please"
    assert [one.content for one in history(thread)[:1]] == ["sign me in with ***, please"]
    for kept in ProtocolRun.objects.values_list("input__forwardedProps", flat=True):
        assert kept == {"input": {"password": "***", "site": "example.org"}, "deep": ["x *** y", 1]}
