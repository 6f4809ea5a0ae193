"""Several answers of a client and one of the inbox, each in the midst of the other: nobody's transaction is broken."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction

from hitl import answers
from hitl.asking import lock
from hitl.models import Answer, Question
from perdure.agui import resuming
from runs.models import Run
from runs.testing import drain
from tests.agui.asking import asked, post, resolved, resume

pytestmark = pytest.mark.usefixtures("transactional_db")


def test_answers_hold_all_their_questions_before_the_run(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupts = sorted(asked(bob, "approval", "tool_call"), key=lambda one: one.id)
    second = Question.objects.get(id=interrupts[1].id.partition(".")[0])
    held, first_is_answered = threading.Event(), threading.Event()
    decide = resuming._decide

    def slowly(*given: object) -> None:
        decide(*given)
        first_is_answered.set()

    monkeypatch.setattr(resuming, "_decide", slowly)

    def by_inbox() -> str:
        try:
            with transaction.atomic():
                lock(second.id)
                held.set()
                first_is_answered.wait(0.5)  # it never comes where the client holds all its questions first
                answers.answer(second.id, bob, "approve", digest=second.digest)
            return "inbox"
        finally:
            connections.close_all()

    def by_client() -> str:
        try:
            held.wait(60)
            return post(bob, resume(*(resolved(one, {"approved": True}) for one in interrupts))).kind
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        said = [threads.submit(by_inbox), threads.submit(by_client)]
        assert [one.result(60) for one in said] == ["inbox", "continue"]
    drain()
    assert (Run.objects.get().status, Answer.objects.count()) == ("completed", 2)
