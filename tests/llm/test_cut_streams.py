"""An answer that was cut goes on from where it was, in one clean text; every attempt is counted."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from flows.llm.chat import chat
from runs import jobs
from runs.jobs import Retry, StepContext, job
from runs.models import Checkpoint, Run
from runs.testing import drain, run_to_end
from tests.llm.conftest import Profile, usages
from tests.llm.seen import Seen

AT_ONCE = Retry(max_attempts=5, initial=0)
WORDS = [f"word{number} " for number in range(10)]


def tell() -> Run:
    @job("tell")
    async def tell_(step: StepContext) -> str:
        return (await chat(step, "draft", "Tell", retries=AT_ONCE)).text

    return jobs.start("tell", {}).run


def test_the_next_attempt_goes_on_after_the_cut_and_readers_see_one_whole_text(profile: Profile, settings: Any) -> None:
    settings.LLM_PRICES = {"scripted": {"input": 1_000_000, "output": 1_000_000}}
    cut = {"code": "stream_cut", "after_chunks": 4}
    profile(rules=[{"chunks": WORDS, "fail": cut, "times": 1}, {"chunks": WORDS}])
    run, seen = tell(), Seen()
    drain(frames=seen)
    assert jobs.get(run.id).output == "".join(WORDS)
    assert seen.text("draft", 1) == "".join(WORDS[:4])
    assert seen.text("draft", 2) == "".join(WORDS)
    (failed, first), (completed, second) = usages(run, "draft")
    assert (failed, completed) == ("failed", "completed")
    assert first is not None
    assert second is not None
    assert first["counted_by"] == "estimate"
    assert first["output_tokens"] == len("".join(WORDS[:4])) / 4
    assert second["output_tokens"] < len("".join(WORDS)) / 4, "only the rest was answered"
    for usage in (first, second):
        assert usage["cost"] == usage["input_tokens"] + usage["output_tokens"]
    assert run.steps.get().failures == 1


def test_a_cut_of_a_cut_goes_on_too(profile: Profile) -> None:
    rules = [
        {"chunks": WORDS, "fail": {"code": "stream_cut", "after_chunks": chunks}, "times": 1} for chunks in (2, 3, 1)
    ]
    profile(rules=[*rules, {"chunks": WORDS}])
    run, seen = tell(), Seen()
    drain(frames=seen)
    assert jobs.get(run.id).output == "".join(WORDS)
    assert seen.text("draft", 4) == "".join(WORDS)
    assert [outcome for outcome, _ in usages(run, "draft")] == ["failed", "failed", "failed", "completed"]


def test_a_long_answer_is_kept_on_the_way_each_time_a_quarter_later(profile: Profile, settings: Any) -> None:
    settings.LLM_CHECKPOINT_CHARACTERS = 1_000
    settings.RUNS_CHECKPOINTS_KEPT = 1_000
    fail = {"code": "provider_unavailable", "after_chunks": 500}
    profile(rules=[{"chunks": ["ten chars " for _ in range(600)], "fail": fail}])

    @job("tell-once")
    async def tell_once(step: StepContext) -> None:
        await chat(step, "draft", "Tell", retries=1)

    run = jobs.start("tell-once", {}).run
    drain()
    sizes = [len(row.state["text"]) for row in Checkpoint.objects.filter(run=run).order_by("number")]
    assert sizes[0] == 1_000
    assert all(later - earlier >= min(1_000, earlier // 4) for earlier, later in pairwise(sizes[:-1]))
    assert sizes[-1] == 5_000, "what came until the cut"
    assert 4 <= len(sizes) <= 8


@pytest.mark.parametrize(
    ("code", "type_"),
    [
        ("refused", "Refused"), ("context_overflow", "ContextOverflow"), ("model_not_found", "ModelNotFound"),
        ("authentication_failed", "AuthenticationFailed"), ("provider_refused_request", "BadRequest"),
    ],
)  # fmt: skip
def test_what_another_attempt_cannot_mend_is_not_tried_again_and_told_apart(
    profile: Profile, code: str, type_: str
) -> None:
    profile(rules=[{"fail": {"code": code}}])
    run = run_to_end(tell())
    assert run.status == "failed"
    step = run.steps.get()
    assert (step.attempts, step.error["type"]) == (1, type_)
    assert step.error["message"].endswith(".")


@pytest.mark.parametrize(
    "code", ["rate_limited", "overloaded", "provider_unavailable", "provider_timeout", "malformed_answer"]
)
def test_what_passes_is_tried_again(profile: Profile, code: str) -> None:
    profile(rules=[{"fail": {"code": code}, "times": 2}, {"text": "here"}])
    run = tell()
    drain()
    assert jobs.get(run.id).output == "here"
    assert run.steps.get().attempts == 3
    assert [usage for outcome, usage in usages(run, "draft") if outcome == "failed"] == [None, None], "nothing came"


def test_an_answer_that_no_step_may_record_is_stopped_before_its_end(profile: Profile, settings: Any) -> None:
    settings.RUNS_MAX_PAYLOAD_BYTES = 40_000
    profile(rules=[{"chunks": ['"quoted"\n' * 100] * 50}])
    run = run_to_end(tell())
    step = run.steps.get()
    assert (step.attempts, step.error["type"]) == (1, "AnswerTooLarge")
    assert "max_tokens" in step.error["message"]
    assert len(Checkpoint.objects.filter(run=run).latest("number").state["text"]) > 15_000
    ((_, usage),) = usages(run, "draft")
    assert usage is not None
    assert usage["output_tokens"] > 4_000, "what it cost is counted all the same"


def test_a_time_limit_is_for_the_call_alone(profile: Profile) -> None:
    profile(rules=[{"chunks": ["slow ", "slower"], "chunk_delay_seconds": 30}])

    @job("limited")
    async def limited(step: StepContext) -> None:
        await chat(step, "draft", "Tell", retries=1, timeout=timedelta(seconds=0.05))

    run = run_to_end(jobs.start("limited", {}).run)
    assert run.steps.get().error["type"] == "ProviderTimeout"


def test_a_mistake_of_code_is_not_tried_again(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    profile(rules=[])
    monkeypatch.setattr("providers.scripted.client.answers.default_text", lambda request: 1 / 0)
    run = run_to_end(tell())
    assert (run.steps.get().attempts, run.steps.get().error["type"]) == (1, "ZeroDivisionError")
