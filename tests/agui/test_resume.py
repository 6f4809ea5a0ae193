"""Answers in `resume` decide the run's questions, once, whoever gave them and at which door."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from hitl import answers
from hitl.asking import revise
from hitl.models import Answer, Question
from perdure.agui.errors import (
    InterruptAnswered,
    InterruptChanged,
    InterruptExpired,
    InvalidInput,
    InvalidInterruptId,
    RunConflict,
    ThreadNotFound,
)
from perdure.agui.models import ProtocolRun, Thread
from perdure.agui.transcript import settle_ended
from runs import jobs
from runs.models import Run
from runs.testing import advance, drain
from tests.agui.asking import asked, body, cancelled, pending, post, resolved, resume

pytestmark = pytest.mark.usefixtures("transactional_db")


def output() -> Any:
    drain()
    run = Run.objects.latest("created_at")
    assert run.status == "completed", (run.status, run.error)
    return run.output


def nothing_decided() -> bool:
    return not Answer.objects.exists() and ProtocolRun.objects.count() == 1


ANSWERS: list[tuple[dict[str, Any], list[Any]]] = [
    (
        {"approval": {"approved": True}, "tool_call": {"approved": True}, "input": {"age": 7}, "choice": "red"},
        [["approve", None, ""], ["approve", None, ""], ["submit", {"age": 7}, ""], ["choose", "red", ""]],
    ),
    (
        {
            "approval": {"approved": False, "reason": "too late"},
            "tool_call": {"approved": True, "editedArgs": {"to": "bea"}},
            "choice": {"rgb": [0, 0, 1]},
        },
        [["deny", None, "too late"], ["approve", {"to": "bea"}, ""], ["choose", {"rgb": [0, 0, 1]}, ""]],
    ),
    ({"tool_call": {"approved": False, "editedArgs": {"to": "bea"}}}, [["deny", None, ""]]),
]


@pytest.mark.parametrize(("payloads", "outcomes"), ANSWERS)
def test_answers_go_to_the_run(bob: User, payloads: dict[str, Any], outcomes: list[Any]) -> None:
    interrupts = asked(bob, *payloads)
    answered = map(resolved, interrupts, payloads.values())
    decision = post(bob, resume(*answered))
    assert (decision.kind, [one.run_id for one in decision.protocol_runs]) == ("continue", ["r2"])
    assert output() == outcomes


def test_what_is_cancelled_is_denied_and_says_so(bob: User) -> None:
    (interrupt,) = asked(bob, "tool_call")
    post(bob, resume(cancelled(interrupt)))
    assert output() == [["deny", None, "Cancelled by user."]]


def test_a_cancelled_question_for_a_value_is_taken_back(bob: User) -> None:
    (interrupt,) = asked(bob, "input")
    post(bob, resume(cancelled(interrupt)))
    assert Question.objects.get().status == "withdrawn"


def test_what_is_covered_is_answered_and_the_rest_interrupts_again(bob: User) -> None:
    approval, choice = asked(bob, "approval", "choice")
    (part,) = post(bob, resume(resolved(approval, {"approved": True}))).protocol_runs
    assert not part.has_gap
    drain()
    assert [one.id for one in pending()] == [choice.id]
    post(bob, resume(resolved(choice, "red"), run="r3"))
    assert output() == [["approve", None, ""], ["choose", "red", ""]]


def test_some_clients_go_on_under_the_interrupted_run_id_with_a_tool_message_of_their_own(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")
    made_up = [{"id": "made-up", "role": "tool", "toolCallId": "c1", "content": "yes"}]
    decision = post(bob, resume(resolved(interrupt, {"approved": True}), run="r1", messages=made_up))
    assert [(one.run_id, one.part) for one in decision.protocol_runs] == [("r1", 2)]
    assert output() == [["approve", None, ""]]
    assert "made-up" not in Thread.objects.get().messages.values_list("message_id", flat=True)


def test_the_same_request_again_is_told_again(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")
    sent = resume(resolved(interrupt, {"approved": True}))
    first = post(bob, sent)
    drain()
    again = post(bob, sent)
    assert (again.kind, again.protocol_runs) == ("attach", first.protocol_runs)
    assert Answer.objects.count() == 1


def test_the_same_answer_under_another_run_id_changes_nothing(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")
    post(bob, resume(resolved(interrupt, {"approved": True})))
    drain()
    (late,) = post(bob, resume(resolved(interrupt, {"approved": True}), run="r3")).protocol_runs
    first = ProtocolRun.objects.get(run_id="r2")
    assert (late.after_sequence, late.has_gap) == (first.after_sequence, True)
    assert Answer.objects.count() == 1


def test_another_answer_is_refused_and_the_first_counts(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")
    post(bob, resume(resolved(interrupt, {"approved": False})))
    with pytest.raises(InterruptAnswered, match="answered by bob"):
        post(bob, resume(resolved(interrupt, {"approved": True}), run="r3"))
    assert not ProtocolRun.objects.filter(run_id="r3").exists()
    assert output() == [["deny", None, ""]]


def test_an_answer_in_the_inbox_and_the_same_by_the_client_are_one(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")
    question = Question.objects.get()
    answers.answer(question.id, bob, "approve", digest=question.digest)
    post(bob, resume(resolved(interrupt, {"approved": True})))
    assert Answer.objects.count() == 1
    assert output() == [["approve", None, ""]]


def test_an_answer_that_contradicts_the_inbox_is_refused(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")
    question = Question.objects.get()
    answers.answer(question.id, bob, "approve", digest=question.digest)
    with pytest.raises(InterruptAnswered):
        post(bob, resume(cancelled(interrupt)))


FORGED = ["", "x", "0198f5e0-0000-7000-8000-000000000000", "0198f5e0-0000-7000-8000-000000000000.0123456789ab"]


def test_a_forged_id_is_refused_and_nothing_is_decided(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")
    for forged in (*FORGED, interrupt.id.upper(), interrupt.id[:-1], interrupt.id + "0", interrupt.id.replace("-", "")):
        with pytest.raises(InvalidInterruptId):
            post(bob, resume({"interruptId": forged, "status": "resolved", "payload": {"approved": True}}))
    assert nothing_decided()


def test_one_forged_answer_takes_the_true_one_with_it(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")
    with pytest.raises(InvalidInterruptId):
        post(bob, resume(resolved(interrupt, {"approved": True}), {"interruptId": "x.y", "status": "cancelled"}))
    assert nothing_decided()


def test_a_question_of_another_thread_is_refused(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")
    post(bob, body("hello", thread="t2", run="other"))
    with pytest.raises(InvalidInterruptId):
        post(bob, resume(resolved(interrupt, {"approved": True}), thread="t2"))
    assert not Answer.objects.exists()


def test_a_thread_of_somebody_else_is_not_found(bob: User, stranger: User) -> None:
    (interrupt,) = asked(bob, "approval")
    with pytest.raises(ThreadNotFound):
        post(stranger, resume(resolved(interrupt, {"approved": True})))
    assert nothing_decided()


def test_a_question_of_anothers_run_is_refused_in_ones_own_thread(bob: User, stranger: User) -> None:
    (interrupt,) = asked(bob, "approval")
    post(stranger, body("hello", thread="mine", run="r9"))
    with pytest.raises(InvalidInterruptId):
        post(stranger, resume(resolved(interrupt, {"approved": True}), thread="mine"))
    assert not Answer.objects.exists()


def test_the_run_id_of_another_turn_is_refused(bob: User) -> None:
    post(bob, body("hello", run="r0"))
    drain()
    (interrupt,) = asked(bob, "approval")
    with pytest.raises(RunConflict):
        post(bob, resume(resolved(interrupt, {"approved": True}), run="r0"))
    assert not Answer.objects.exists()


UNFIT: list[tuple[str, Any, str]] = [
    ("approval", None, "resume.0.payload.approved"),
    ("approval", {"approved": "yes"}, "resume.0.payload.approved"),
    ("approval", {"approved": True, "reason": 7}, "resume.0.payload.reason"),
    ("approval", {"approved": False, "reason": "x" * 20_000}, "resume.0.payload.reason"),
    ("tool_call", {"approved": True, "editedArgs": {"to": "far too long"}}, "resume.0.payload.editedArgs.to"),
    ("tool_call", {"approved": True, "editedArgs": "no object"}, "resume.0.payload.editedArgs"),
    ("input", {"age": "old"}, "resume.0.payload.age"),
    ("choice", "green", "resume.0.payload"),
]


def test_an_answer_that_does_not_fit_names_the_field(bob: User) -> None:
    kinds = ("approval", "tool_call", "input", "choice")
    interrupts = dict(zip(kinds, asked(bob, *kinds), strict=True))
    for kind, payload, field in UNFIT:
        with pytest.raises(InvalidInput) as refused:
            post(bob, resume(resolved(interrupts[kind], payload)))
        assert refused.value.fields[0]["field"] == field
    assert nothing_decided()


def test_an_interrupt_answered_twice_in_one_request_is_refused(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")
    with pytest.raises(InvalidInput):
        post(bob, resume(resolved(interrupt, {"approved": True}), cancelled(interrupt)))
    assert nothing_decided()


def test_an_expired_interrupt_is_only_cancelled(bob: User) -> None:
    (interrupt,) = asked(bob, "approval", deadline=60)
    advance(timedelta(seconds=61))
    with pytest.raises(InterruptExpired):
        post(bob, resume(resolved(interrupt, {"approved": True})))
    assert nothing_decided()
    (part,) = post(bob, resume(cancelled(interrupt))).protocol_runs
    assert not part.has_gap
    assert output() == [["deny", None, ""]]


@pytest.mark.parametrize("kind", ["approval", "input"])
def test_who_waits_for_a_run_that_somebody_stopped_lets_go_of_it_and_goes_on(bob: User, kind: str) -> None:
    (interrupt,) = asked(bob, kind)
    jobs.cancel(Run.objects.get().id, actor=jobs.SYSTEM)
    drain()
    with pytest.raises(InterruptAnswered):
        post(bob, resume(resolved(interrupt, {"approved": True}), run="late"))
    decision = post(bob, resume(cancelled(interrupt)))
    assert (decision.kind, Run.objects.get().status) == ("continue", "cancelled")
    assert post(bob, body("hello", run="r3")).kind == "turn"


def test_a_question_that_was_changed_since_is_not_answered(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")
    revise(Question.objects.get().id, body="Something else")
    with pytest.raises(InterruptChanged):
        post(bob, resume(resolved(interrupt, {"approved": True})))
    assert nothing_decided()


def test_with_a_quorum_the_turn_is_told_again_until_enough_have_answered(team: Group, bob: User) -> None:
    ann = User.objects.create_user("ann")
    team.user_set.add(ann, bob)
    (interrupt,) = asked(bob, "approval", quorum=2, to=["bob", "ann"])
    (part,) = post(bob, resume(resolved(interrupt, {"approved": True}))).protocol_runs
    assert (part.after_sequence, part.has_gap) == (0, True)
    again = post(bob, resume(resolved(interrupt, {"approved": True}), run="r3"))
    assert again.kind == "continue"
    assert Answer.objects.count() == 1


def test_an_answer_repeated_after_the_end_knows_how_it_ended(bob: User) -> None:
    (interrupt,) = asked(bob, "approval")
    post(bob, resume(resolved(interrupt, {"approved": True})))
    drain()
    settle_ended(Thread.objects.get())
    (again,) = post(bob, resume(resolved(interrupt, {"approved": True}), run="r3")).protocol_runs
    first = ProtocolRun.objects.get(run_id="r2").outcome
    assert first is not None
    assert ProtocolRun.objects.get(pk=again.pk).outcome == first | {"runId": "r3"}
