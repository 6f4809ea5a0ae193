"""Requests that come at the same moment: one of them wins, and nothing happens twice or by halves."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections

from hitl import answers
from hitl.errors import QuestionClosed
from hitl.models import Answer, Question
from perdure.agui.errors import InterruptAnswered, ThreadBusy
from perdure.agui.models import ProtocolRun, Thread, Turn
from runs.models import Run
from runs.testing import drain
from tests.agui.asking import asked, body, post, resolved, resume

pytestmark = pytest.mark.usefixtures("transactional_db")


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each returned, or raised."""
    together = threading.Barrier(len(calls))

    def call(function: Callable[[], Any]) -> Any:
        together.wait(timeout=60)
        try:
            return function()
        except Exception as exc:
            return exc
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, calls))


def test_a_request_sent_three_times_begins_one_turn(bob: User) -> None:
    ended = at_once([lambda: post(bob, body("hello"))] * 3)
    assert sorted(one.kind for one in ended) == ["attach", "attach", "turn"]
    assert len({one.protocol_runs[0].pk for one in ended}) == 1
    assert (Thread.objects.count(), Turn.objects.count(), Run.objects.count()) == (1, 1, 1)


def test_of_two_turns_at_once_one_is_refused(bob: User) -> None:
    ended = at_once([lambda: post(bob, body("one", run="r1")), lambda: post(bob, body("two", run="r2"))])
    assert sum(isinstance(one, ThreadBusy) for one in ended) == 1
    assert (Turn.objects.count(), Run.objects.count(), ProtocolRun.objects.count()) == (1, 1, 1)


def test_of_answers_that_contradict_each_other_and_the_inbox_one_counts(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")
    question = Question.objects.get()
    ended = at_once(
        [
            lambda: post(bob, resume(resolved(interrupt, {"approved": True}), run="r2")),
            lambda: post(bob, resume(resolved(interrupt, {"approved": False}), run="r3")),
            lambda: answers.answer(question.id, bob, "deny", comment="inbox", digest=question.digest),
        ]
    )
    refused = [one for one in ended if isinstance(one, Exception)]
    assert all(isinstance(one, InterruptAnswered | QuestionClosed) for one in refused), refused
    counted = Answer.objects.get()
    assert ProtocolRun.objects.exclude(run_id="r1").count() == sum(hasattr(one, "kind") for one in ended[:2])
    assert isinstance(ended[0], Exception) == (counted.decision == "deny")
    drain()
    assert Run.objects.get().output == [[counted.decision, None, counted.comment]]
