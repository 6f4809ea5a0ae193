"""Logs and frames that the engine wrote: answers, tools, approvals, a worker that dies in the midst of an answer."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, User

from flows.llm.chat import chat
from flows.llm.models import ProviderProfile
from flows.llm.tools import tool
from hitl import answers
from hitl.models import Question
from perdure.agui.adapter import Adapter
from providers.requests import ToolSpec
from runs import clock, jobs
from runs.engine.ports import NoFrames
from runs.events.log import read_events
from runs.events.types import EventType, LiveType, RunEvent
from runs.jobs import Retry, StepContext, job
from runs.models import Run
from runs.testing import crash_after, drain, temporary_jobs
from tests.agui.adapter.readers import Reader
from tests.agui.adapter.wire import Client, on_the_wire, transcript, violation

CHUNKS = ["The ", "answer ", "is ", "Ä", "."]


class Recorder(NoFrames):
    """Keeps the frames of each attempt."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: dict[tuple[str, int], list[RunEvent]] = defaultdict(list)

    def emitter(self, run_id: UUID, step: str, epoch: int, attempt: int) -> Callable[[bytes], None]:
        count = super().emitter(run_id, step, epoch, attempt)

        def keep(data: bytes) -> None:
            count(data)
            kept = self.frames[step, attempt]
            kept.append(RunEvent(LiveType.STREAM, run_id, json.loads(data), step, attempt, None, epoch, len(kept)))

        return keep

    def heard(self, run: Run) -> list[RunEvent]:
        """As a follower tells it: the frames of an attempt behind its start."""
        told: list[RunEvent] = []
        for event in read_events(run.id):
            told.append(event)
            frames = self.frames.get((event.step or "", event.attempt or 0))
            if event.type == EventType.STEP_START and frames:
                first = frames[0]
                told += [
                    RunEvent(LiveType.STREAM_RESET, run.id, {}, first.step, first.attempt, None, first.epoch),
                    *frames,
                ]
        return told


@pytest.fixture
def scripts(transactional_db: None) -> Iterator[Callable[[list[dict[str, Any]]], None]]:
    def make(rules: list[dict[str, Any]]) -> None:
        values = {"kind": "scripted", "extra": {"scenario": {"rules": rules}}, "updated_at": clock.now()}
        ProviderProfile.objects.update_or_create(id="default", defaults=values)

    with temporary_jobs():
        yield make


@tool
async def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@tool(needs_approval=True)
async def wipe(disk: str) -> str:
    """Wipe a disk."""
    return f"{disk} is empty"


def start(team: Group | None = None) -> Run:
    @job("adapted")
    async def adapted(step: StepContext) -> dict[str, Any]:
        step.progress(1, 2, "asked")
        paint = ToolSpec(name="paint", description="Paint the page.", parameters={"type": "object"})
        answer = await chat(
            step, "ask", "Go", tools=[add, wipe], client_tools=[paint], retries=Retry(max_attempts=3, initial=0)
        )
        step.state.set({"asked": True})
        step.state.update(turns=answer.turns)
        return {"text": answer.text, "pending_calls": [call.model_dump() for call in answer.pending_calls]}

    return jobs.start("adapted", {}, team=team).run


def read(run: Run, recorder: Recorder, version: str = "1.0") -> Reader:
    reader = Reader(version)
    reader.adapter = Adapter(run.id)
    reader.read(recorder.heard(run))
    wire = on_the_wire(reader.events)
    assert violation(wire) == ""
    client = Client([])
    for event in wire:
        client.apply(event)
    assert client.transcript() == transcript(on_the_wire(reader.adapter.messages))
    assert client.state == reader.adapter.state
    return reader


def told(reader: Reader, kind: str) -> list[dict[str, Any]]:
    return [event for event in on_the_wire(reader.events) if event["type"] == kind]


def contents(reader: Reader) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in transcript(on_the_wire(reader.adapter.messages))]


def test_an_answer_is_told_piece_by_piece_and_its_tools_with_what_they_gave(scripts: Any) -> None:
    call = {"name": "add", "arguments": {"a": 1, "b": 2}}
    scripts(
        [{"turn": 1, "reasoning": ["Hm", "m."], "text": "Wait.", "tool_calls": [call]}, {"turn": 2, "chunks": CHUNKS}]
    )
    run, recorder = start(), Recorder()
    drain(frames=recorder)
    reader = read(run, recorder)
    assert contents(reader) == [
        ("reasoning", "Hmm."), ("assistant", "Wait."), ("tool", "3"), ("assistant", "".join(CHUNKS))
    ]  # fmt: skip
    assert "".join(event["delta"] for event in told(reader, "TOOL_CALL_ARGS")) == json.dumps(call["arguments"])
    assert [event["stepName"] for event in told(reader, "STEP_STARTED")] == ["ask", "ask: add#1.1", "ask #2"]
    (end,) = told(reader, "RUN_FINISHED")
    assert end["outcome"] == {"type": "success"}
    assert end["usage"][0]["provider"] == "scripted"
    assert reader.adapter.state == {"asked": True, "turns": 2}
    kinds = [type_ for type_ in ("STATE_SNAPSHOT", "STATE_DELTA", "ACTIVITY_SNAPSHOT") if told(reader, type_)]
    assert kinds == ["STATE_SNAPSHOT", "STATE_DELTA", "ACTIVITY_SNAPSHOT"]


def test_an_answer_that_was_cut_is_taken_back_before_the_next_attempt_is_told(scripts: Any) -> None:
    cut = {"code": "provider_unavailable", "after_chunks": 2}
    scripts([{"chunks": CHUNKS, "fail": cut, "times": 1}, {"chunks": CHUNKS}])
    run, recorder = start(), Recorder()
    drain(frames=recorder)
    reader = read(run, recorder)
    assert contents(reader) == [("assistant", "".join(CHUNKS))]
    assert len(told(reader, "TEXT_MESSAGE_START")) == 2
    assert told(reader, "MESSAGES_SNAPSHOT")[0]["messages"] == []


def test_a_worker_that_dies_in_an_answer_is_followed_by_one_whose_answer_counts(scripts: Any) -> None:
    scripts([{"chunks": CHUNKS}])
    run, recorder = start(), Recorder()
    with crash_after("ask", before_record=True):
        drain(frames=recorder)
    drain(frames=recorder)
    assert sorted(recorder.frames) == [("ask", 1), ("ask", 2)]
    first, second = (recorder.frames["ask", attempt][0] for attempt in (1, 2))
    assert (first.epoch or 0) < (second.epoch or 0)
    reader = read(run, recorder)
    assert contents(reader) == [("assistant", "".join(CHUNKS))]
    assert len({event["messageId"] for event in told(reader, "TEXT_MESSAGE_START")}) == 2


@pytest.fixture
def alice(db: None) -> User:
    made = User.objects.create_user("alice")
    made.groups.add(Group.objects.create(name="night shift"))
    return made


@pytest.mark.parametrize(
    ("decision", "result"), [("approve", "sda is empty"), ("deny", "denied by alice: Not that one.")]
)
def test_a_call_that_people_decide_about_ends_the_run_with_an_interrupt_and_goes_on_in_the_next(
    scripts: Any, alice: User, decision: str, result: str
) -> None:
    scripts([{"turn": 1, "tool_calls": [{"name": "wipe", "arguments": {"disk": "sda"}}]}, {"turn": 2, "text": "Done."}])
    run, recorder = start(alice.groups.get()), Recorder()
    drain(frames=recorder)
    question = Question.objects.get(run=run)
    comment = "Not that one." if decision == "deny" else ""
    answers.answer(question.id, alice, decision, comment=comment, digest=question.digest)
    drain(frames=recorder)
    reader = read(run, recorder)
    asked, end = told(reader, "RUN_FINISHED")
    (interrupt,) = asked["outcome"]["interrupts"]
    (start_,) = told(reader, "TOOL_CALL_START")
    assert interrupt["id"] == f"{question.id}.{question.digest[:12]}"
    assert (interrupt["reason"], interrupt["toolCallId"]) == ("tool_call", start_["toolCallId"])
    assert (asked["runId"], end["runId"], end["outcome"]) == ("r1", "r2", {"type": "success"})
    (answered,) = told(reader, "TOOL_CALL_RESULT")
    assert (answered["toolCallId"], answered["content"]) == (start_["toolCallId"], result)
    assert reader.told[-1].part == 2


def test_calls_of_the_frontends_tools_are_left_to_it_and_named_to_clients_that_know(scripts: Any) -> None:
    scripts([{"tool_calls": [{"name": "paint", "arguments": {}}, {"name": "add", "arguments": {"a": 1, "b": 1}}]}])
    run, recorder = start(), Recorder()
    drain(frames=recorder)
    reader = read(run, recorder)
    paint, added = told(reader, "TOOL_CALL_START")
    assert [one["toolCallId"] for one in told(reader, "TOOL_CALL_RESULT")] == [added["toolCallId"]]
    (end,) = told(reader, "RUN_FINISHED")
    assert end["outcome"] == {"type": "success", "pendingToolCallIds": [paint["toolCallId"]]}
    (older,) = told(read(run, recorder, ""), "RUN_FINISHED")
    assert older["outcome"] == {"type": "success"}
