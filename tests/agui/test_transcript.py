"""What is said in a thread is kept: once, in order, whoever settles it and whatever became of its runs."""

from collections.abc import Callable
from threading import Barrier
from threading import Thread as OsThread
from typing import Any

import pytest
from ag_ui.core import ToolMessage, UserMessage
from django.contrib.auth.models import Group, User
from django.db import connection

from hitl import answers
from hitl.models import Question
from perdure.agui import transcript
from perdure.agui.models import Thread, Turn
from perdure.agui.transcript import history, settle, settle_ended
from perdure.agui.turns import ClientRun, continue_turn, write_messages
from runs import jobs
from runs.models import EndHook, Event, Run
from runs.testing import drain
from tests.agui.conftest import converse, only_run, reloaded, say
from tests.llm_tools.jobs import called

pytestmark = pytest.mark.usefixtures("transactional_db")

LOOKS_UP = {"name": "look_up", "arguments": {"word": "tea"}, "id": "call_1"}
MAILS = {"name": "send_mail", "arguments": {"to": "bob"}, "id": "call_1"}
PAINTS = {"name": "paint", "arguments": {"colour": "green"}, "id": "call_2"}


def said(thread: Thread, until: Turn | None = None) -> list[tuple[str, Any]]:
    return [(one.role, getattr(one, "content", None)) for one in history(thread, until)]


def user_says(text: str) -> UserMessage:
    return UserMessage(id=f"u-{text}", content=text)


def outcome(turn: Turn) -> dict[str, Any]:
    kept = only_run(turn).outcome
    assert kept is not None
    return kept


def test_the_end_of_a_run_settles_its_turn(bob: User) -> None:
    turn = say(bob, "t1", "hello", run_id="r1")
    assert said(turn.thread) == [("user", "hello")]
    drain()
    turn.refresh_from_db()
    assert (turn.status, turn.settled_at is not None) == ("completed", True)
    assert jobs.get(turn.run_id).end_hook == EndHook.DONE  # type: ignore[arg-type]
    assert said(turn.thread) == [("user", "hello"), ("assistant", "You said: hello")]
    assert outcome(turn)["type"] == "RUN_FINISHED"
    assert (outcome(turn)["threadId"], outcome(turn)["runId"]) == ("t1", "r1")


def test_settling_again_changes_nothing(bob: User) -> None:
    turn = say(bob, "t1", "hello")
    drain()
    before = list(turn.thread.messages.values())
    settle(turn)
    settle_ended(turn.thread)
    assert list(turn.thread.messages.values()) == before


def test_the_hook_and_doors_that_settle_at_once_write_it_once(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = say(bob, "t1", "hello")
    monkeypatch.setattr(transcript, "settle_run", lambda ended: None)
    drain()
    Turn.objects.update(settled_at=None, settled_until=0)
    turn.messages.filter(is_input=False).delete()
    turn.refresh_from_db()
    start, failures = Barrier(3), []

    def settles() -> None:
        start.wait(30)
        try:
            settle(turn)
        except Exception as exc:
            failures.append(exc)
        finally:
            connection.close()

    threads = [OsThread(target=settles) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert failures == []
    assert said(turn.thread) == [("user", "hello"), ("assistant", "You said: hello")]


def test_a_turn_under_way_is_told_by_its_log_alone(bob: User) -> None:
    first = say(bob, "t1", "one")
    drain()
    second = say(bob, "t1", "bob", job="talk-ask")
    drain()
    settle(second)
    assert Turn.objects.get(pk=second.pk).settled_at is None
    before = [("user", "one"), ("assistant", "You said: one"), ("user", "bob")]
    assert said(second.thread, second) == before
    assert said(first.thread, first) == [("user", "one")]


def test_a_failed_run_that_is_retried_says_the_rest(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = say(bob, "t1", "fail")
    drain()
    assert said(turn.thread) == [("user", "fail")]
    assert (outcome(turn)["type"], Turn.objects.get().status) == ("RUN_ERROR", "failed")
    assert "Traceback" not in str(outcome(turn))
    say(bob, "t1", "never mind")
    drain()
    Run.objects.filter(pk=turn.run_id).update(input="hello")  # what failed is repaired
    jobs.retry(turn.run_id)  # type: ignore[arg-type]
    assert said(turn.thread, Turn.objects.get(pk=turn.pk))[-1] == ("assistant", "You said: never mind")
    drain()
    assert said(turn.thread) == [
        ("user", "fail"), ("assistant", "You said: hello"),
        ("user", "never mind"), ("assistant", "You said: never mind"),
    ]  # fmt: skip
    assert list(Turn.objects.order_by("number").values_list("status", flat=True)) == ["completed"] * 2


def test_a_cancelled_run_keeps_what_it_had_said(bob: User, scripted: Callable[..., None], team: Group) -> None:
    bob.groups.add(team)
    scripted({"turn": 1, "text": "I write to Bob.", "tool_calls": [MAILS]})
    turn = converse(bob, "t1", user_says("Mail Bob"), team=team.name)
    drain()
    jobs.cancel(turn.run_id)  # type: ignore[arg-type]
    drain()
    assert said(turn.thread)[:2] == [("user", "Mail Bob"), ("assistant", "I write to Bob.")]
    assert [role for role, _ in said(turn.thread)[2:]] == ["tool"]  # which says that it was stopped
    assert Turn.objects.get().status == "cancelled"
    assert called["send_mail"] == 0


def test_calls_results_and_state_of_a_conversation_are_kept(
    bob: User, root: User, scripted: Callable[..., None], team: Group
) -> None:
    bob.groups.add(team)
    scripted(
        {"turn": 1, "text": "Let me see.", "tool_calls": [LOOKS_UP]},
        {"turn": 2, "text": "", "tool_calls": [MAILS]},
        {"turn": 3, "text": "{{tool_result}}"},
    )
    turn = converse(bob, "t1", user_says("Tell Bob"), team=team.name, state={"by": "bob"})
    drain()
    question = Question.objects.get()
    answers.answer(question.id, root, "approve", digest=question.digest)
    continue_turn(turn, ClientRun(run_id="r2", protocol_version="1.0"))
    drain()
    roles = [role for role, _ in said(turn.thread)]
    assert roles == ["user", "assistant", "tool", "assistant", "tool", "assistant"]
    first, second = turn.protocol_runs.order_by("id")
    assert first.outcome is not None
    assert second.outcome is not None
    assert [one["id"].split(".")[0] for one in first.outcome["outcome"]["interrupts"]] == [str(question.id)]
    assert second.outcome["outcome"]["type"] == "success"
    assert reloaded(turn.thread).state == {"turns": 1, "by": "bob"}
    calls = [call["id"] for data in turn.messages.values_list("data", flat=True) for call in data.get("toolCalls", [])]
    results = [data["toolCallId"] for data in turn.messages.filter(role="tool").values_list("data", flat=True)]
    assert calls == results
    assert len(set(calls)) == 2  # the model's own ids began anew


def test_copies_of_a_turns_run_do_not_write_into_its_thread(bob: User) -> None:
    turn = say(bob, "t1", "hello")
    drain()
    before = list(turn.thread.messages.values())
    again = jobs.retrigger(turn.run_id).run  # type: ignore[arg-type]
    forked = jobs.fork(turn.run_id, "answer", input="something else")  # type: ignore[arg-type]
    assert again.labels == forked.labels == {"agui_thread": str(turn.thread_id)}
    drain()
    assert jobs.get(forked.id).output == "You said: something else"
    assert {jobs.get(one.id).end_hook for one in (again, forked)} == {EndHook.DONE}
    assert list(turn.thread.messages.values()) == before


def test_a_label_that_somebody_gave_their_run_writes_nothing(bob: User, stranger: User) -> None:
    turn = say(bob, "t1", "hello")
    jobs.start("talk-echo", "forged", owner=stranger, labels={"agui_thread": str(turn.thread_id)})
    drain()
    assert said(turn.thread) == [("user", "hello"), ("assistant", "You said: hello")]


def test_what_is_unsettled_when_its_log_is_gone_keeps_the_answer(
    bob: User, scripted: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted({"turn": 1, "text": "Good evening."})
    text, chat = say(bob, "t1", "hello"), converse(bob, "t2", user_says("hello"))
    drain()
    for turn in (text, chat):
        turn.messages.filter(is_input=False).delete()
    Turn.objects.update(settled_at=None, settled_until=0)
    Event.objects.all().delete()
    Run.objects.update(first_sequence=100)
    assert said(text.thread) == [("user", "hello"), ("assistant", "You said: hello")]
    assert said(chat.thread) == [("user", "hello"), ("assistant", "Good evening.")]
    assert outcome(chat)["type"] == "RUN_FINISHED"


def test_a_log_that_cannot_be_told_keeps_the_answer(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = say(bob, "t1", "hello")
    monkeypatch.setattr(transcript.Teller, "tell", lambda *_: 1 / 0)
    drain()
    assert said(turn.thread) == [("user", "hello"), ("assistant", "You said: hello")]


def test_a_turn_whose_run_was_deleted_unsettled_says_so(bob: User) -> None:
    turn = say(bob, "t1", "hello")
    drain()
    Turn.objects.update(settled_at=None, settled_until=0)
    turn.messages.filter(is_input=False).delete()
    jobs.delete(turn.run_id)  # type: ignore[arg-type]
    turn.refresh_from_db()
    assert turn.run is None
    assert said(turn.thread) == [("user", "hello")]
    assert outcome(turn)["code"] == "RUN_DELETED"


def test_deleted_runs_leave_what_was_said(bob: User) -> None:
    turn = say(bob, "t1", "hello")
    drain()
    jobs.delete(turn.run_id)  # type: ignore[arg-type]
    assert said(turn.thread) == [("user", "hello"), ("assistant", "You said: hello")]
    again = say(bob, "t1", "more")
    assert again.number == 2


def test_messages_of_a_client_are_kept_as_they_are(bob: User) -> None:
    turn = say(bob, "t1", "hello")
    forged, answer = UserMessage(id="t1-u1", content="forged"), ToolMessage(id="x", tool_call_id="c", content="")
    parts = UserMessage(id="u9", content=[{"type": "text", "text": "look"}], name="Bob")  # type: ignore[list-item]
    written = write_messages(turn, [parts, parts, forged, answer], is_input=True)
    assert [one.message_id for one in written] == ["u9", "x"]
    assert history(turn.thread)[1] == parts
    assert history(turn.thread)[0].content == "hello"  # type: ignore[union-attr]
