"""A model call is a recorded step: streamed, counted, and never made again."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel

from flows.llm.chat import chat
from flows.llm.scripted_note import MESSAGE
from runs import jobs
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import Event, Run
from runs.testing import crash_after, drain, run_to_end
from tests.llm.conftest import Profile, steps, usages
from tests.llm.seen import Seen


class Verdict(BaseModel):
    mood: Literal["good", "bad"]
    reasons: list[str]


def ended(name: str, input: Any = None) -> Run:
    return run_to_end(jobs.start(name, input if input is not None else {}).run)


def test_the_answer_is_streamed_recorded_and_given(profile: Profile) -> None:
    profile(rules=[{"chunks": ["Once ", "upon ", "a time."], "reasoning": "A tale.", "chunk_delay_seconds": 0.04}])

    @job("tell")
    async def tell(step: StepContext) -> dict[str, Any]:
        answer = await chat(step, "draft", "Tell me a tale", system="Be brief.")
        return {"text": answer.text, "roles": [one.role for one in answer.messages], "turns": answer.turns}

    run, seen = jobs.start("tell", {}).run, Seen()
    drain(frames=seen)
    run = jobs.get(run.id)
    assert run.output == {"text": "Once upon a time.", "roles": ["system", "user", "assistant"], "turns": 1}
    frames = seen.frames["draft", 1]
    assert {"type": "reasoning", "text": "A tale."} in frames
    assert [frame["text"] for frame in frames if frame["type"] == "text"] == ["Once ", "upon ", "a time."]
    assert run.steps.get(name="draft").output["message"]["reasoning"] == "A tale."


def test_many_small_pieces_are_few_frames(profile: Profile) -> None:
    profile(rules=[{"chunks": ["word "] * 2_000}])

    @job("tell")
    async def tell(step: StepContext) -> str:
        return (await chat(step, "draft", "Tell")).text

    jobs.start("tell", {})
    seen = Seen()
    drain(frames=seen)
    assert seen.text("draft") == "word " * 2_000
    assert len(seen.frames["draft", 1]) < 200


def test_a_recorded_call_is_not_made_again_after_a_crash(profile: Profile) -> None:
    profile(rules=[{"match": "first", "text": "one", "times": 1}, {"match": "second", "text": "two"}])

    @job("two-calls")
    async def two_calls(step: StepContext) -> list[str]:
        first = await chat(step, "first", "the first")
        second = await chat(step, "second", [*first.messages, {"role": "user", "content": "the second"}])
        return [first.text, second.text]

    run = jobs.start("two-calls", {}).run
    with crash_after("first"):
        drain()
    assert run_to_end(run).output == ["one", "two"]
    assert len(Event.objects.filter(run=run, type="step:start", step="first")) == 1


def test_a_plain_job_calls_it_without_await(profile: Profile) -> None:
    profile(rules=[{"text": "yes"}])

    @job("plain")
    def plain(step: SyncStepContext) -> str:
        return chat(step, "ask", "Is it so?").text

    assert ended("plain").output == "yes"


def test_an_answer_of_a_type_is_that_type_also_when_it_is_replayed(profile: Profile) -> None:
    profile(rules=[{"json": {"mood": "good", "reasons": ["sun"]}}])

    @job("judge")
    async def judge(step: StepContext) -> list[Any]:
        verdict = (await chat(step, "verdict", "How is it?", output_type=Verdict)).output
        assert isinstance(verdict, Verdict)
        await step.wait_for_signal("go")
        return [verdict.mood, verdict.reasons]

    run = jobs.start("judge", {}).run
    drain()
    jobs.signal(run.id, "go")
    assert run_to_end(run).output == ["good", ["sun"]]


@pytest.mark.parametrize(
    ("kind", "answer", "expected"),
    [(list[int], {"value": [1, 2]}, [1, 2]), (bool, {"value": True}, True), (dict[str, int], {"a": 1}, {"a": 1})],
)
def test_a_type_that_is_no_object_is_wrapped_in_one(profile: Profile, kind: Any, answer: Any, expected: Any) -> None:
    profile(rules=[{"json": answer}])

    @job("typed")
    async def typed(step: StepContext) -> Any:
        return (await chat(step, "ask", "Which?", output_type=kind)).output

    assert ended("typed").output == expected


def test_an_answer_that_does_not_fit_is_asked_for_again_with_what_is_wrong(profile: Profile) -> None:
    profile(
        rules=[
            {"match": r"mood: Input should be 'good' or 'bad'", "json": {"mood": "bad", "reasons": []}},
            {"match": "How is it", "json": {"mood": "so so", "reasons": []}},
        ]
    )

    @job("judge")
    async def judge(step: StepContext) -> str:
        answer = await chat(step, "verdict", "How is it?", output_type=Verdict)
        assert len(answer.messages) == 2, "the conversation holds the answer that counts alone"
        return str(answer.output.mood)

    run = ended("judge")
    assert run.output == "bad"
    (first, used_first), (second, used_second) = usages(run, "verdict")
    assert (first, second) == ("failed", "completed")
    assert used_first is not None
    assert used_second is not None
    assert used_first["output_tokens"] > 0
    assert used_second["input_tokens"] > used_first["input_tokens"]


def test_what_never_fits_fails_after_the_last_attempt(profile: Profile) -> None:
    profile(rules=[{"text": "I would rather not."}])

    @job("judge")
    async def judge(step: StepContext) -> None:
        await chat(step, "verdict", "How is it?", output_type=Verdict, retries=2)

    run = ended("judge")
    assert run.status == "failed"
    assert run.steps.get().error["type"] == "MalformedAnswer"
    assert [outcome for outcome, _ in usages(run, "verdict")] == ["failed", "failed"]


def test_the_log_says_once_that_the_provider_is_a_scripted_one(profile: Profile) -> None:
    profile()

    @job("tell")
    async def tell(step: StepContext) -> None:
        for number in range(3):
            await chat(step, f"draft-{number}", "Tell")

    run = ended("tell")
    lines = Event.objects.filter(run=run, type="log:write")
    assert [line.data["message"] for line in lines] == [MESSAGE]
    assert run.steps.first().output["provider_kind"] == "scripted"


def test_text_that_no_database_takes_is_mended(profile: Profile) -> None:
    told = {"extra": {"scenario": {"rules": [{"chunks": ["a\0b ", "\ud83d", "\ude00", " \udc00"]}]}}}

    @job("odd")
    async def odd(step: StepContext) -> str:
        return (await chat(step, "ask", "What?", override=told)).text

    jobs.start("odd", {})
    seen = Seen()
    drain(frames=seen)
    assert Run.objects.get().output == "a\ufffdb \U0001f600 \ufffd"


def test_names_leave_room_for_those_of_further_steps(profile: Profile) -> None:
    @job("long")
    async def long(step: StepContext) -> None:
        await chat(step, "x" * 101, "Hello")

    run = ended("long")
    assert run.error["type"] == "InvalidOption"
    assert steps(run) == {}
