"""Several clients at one thread, at one moment: one turn, one decision, and everybody else is told which."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connections

from hitl import answers
from hitl.models import Answer, Question
from perdure.agui.errors import AguiError
from perdure.agui.models import ProtocolRun, Thread, Turn
from perdure.agui.threads import delete_thread
from runs.errors import RunsError
from runs.models import Run
from runs.testing import drain
from tests.agui.asking import asked, body, cancelled, post, resolved, resume

pytestmark = pytest.mark.usefixtures("transactional_db")


def at_once(calls: Sequence[Callable[[], str]]) -> Counter[str]:
    """What each of them says; a refusal says its code."""
    start = threading.Barrier(len(calls))

    def say(call: Callable[[], str]) -> str:
        start.wait(60)
        try:
            return call()
        except (AguiError, RunsError) as exc:
            return exc.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return Counter(threads.map(say, calls))


def test_of_many_first_messages_one_begins_the_thread(bob: User) -> None:
    sent = [body("hello", run=f"r{number}") for number in range(6)]
    said = at_once([lambda one=one: post(bob, one).kind for one in sent])  # type: ignore[misc]
    assert said == {"turn": 1, "THREAD_BUSY": 5}
    assert (Thread.objects.count(), Turn.objects.count(), Run.objects.count()) == (1, 1, 1)


def test_one_request_sent_many_times_is_one_turn(bob: User) -> None:
    said = at_once([lambda: post(bob, body("hello")).kind] * 6)
    assert said == {"turn": 1, "attach": 5}
    assert (ProtocolRun.objects.count(), Run.objects.count()) == (1, 1)


def test_a_threads_name_taken_by_two_people_is_one_persons(bob: User, stranger: User) -> None:
    people = [bob, stranger] * 3
    sent = [body("hello", run=f"r{number}") for number in range(6)]
    said = at_once([lambda user=user, one=one: post(user, one).kind for user, one in zip(people, sent, strict=True)])  # type: ignore[misc]
    assert (said["turn"], said["THREAD_BUSY"], said["THREAD_NOT_FOUND"]) == (1, 2, 3)


def test_the_inbox_and_clients_decide_once(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")
    question = Question.objects.get()

    def by_inbox() -> str:
        answers.answer(question.id, bob, "deny", digest=question.digest)
        return "inbox"

    def by_client(run: str, payload: bool) -> Callable[[], str]:
        return lambda: post(bob, resume(resolved(interrupt, {"approved": payload}), run=run)).kind

    said = at_once([by_inbox, by_inbox, by_client("r2", True), by_client("r3", True), by_client("r4", False)])
    assert said["inbox"] + said["continue"] >= 1
    assert Answer.objects.count() == 1
    drain()
    decision = Answer.objects.get().decision
    assert Run.objects.get().output == [[decision, None, ""]]


def test_the_same_answer_sent_many_times_is_one(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")
    sent = resume(resolved(interrupt, {"approved": True}))
    said = at_once([lambda: post(bob, sent).kind] * 5)
    assert said == {"continue": 1, "attach": 4}
    assert (Answer.objects.count(), ProtocolRun.objects.filter(run_id="r2").count()) == (1, 1)


def test_two_interrupts_answered_crosswise_wait_for_nobody(bob: User) -> None:
    one, two = asked(bob, "approval", "tool_call")
    yes = {"approved": True}
    sent = [
        resume(resolved(one, yes), resolved(two, yes), run="r2"),
        resume(resolved(two, yes), resolved(one, yes), run="r3"),
        resume(cancelled(two), run="r4"), resume(cancelled(one), run="r5"),
    ]  # fmt: skip
    at_once([lambda each=each: post(bob, each).kind for each in sent])  # type: ignore[misc]
    drain()
    run = Run.objects.get()
    assert run.status == "completed"
    assert Answer.objects.count() == 2


def test_a_thread_deleted_while_it_is_answered_leaves_nothing_at_work(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")

    def delete() -> str:
        delete_thread(bob, "t1")
        return "deleted"

    said = at_once([delete, lambda: post(bob, resume(resolved(interrupt, {"approved": True}))).kind, delete])
    assert said["deleted"] == 1
    drain()
    assert not Thread.objects.exists()
    assert Run.objects.get().status == "cancelled"
