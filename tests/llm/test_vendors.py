"""Over real HTTP: each fault of a vendor is handled as said, and is seen in the attempts."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from flows.llm.chat import chat
from flows.llm.embed import embed
from runs import jobs
from runs.jobs import Retry, StepContext, job
from runs.models import Attempt, Event, Run
from runs.testing import drain, run_to_end
from tests.llm.conftest import Profile, usages
from tests.llm.seen import Seen
from tests.vendors.process import FakeVendor

WIRES = ["openai", "anthropic", "ollama"]
AT_ONCE = Retry(max_attempts=5, initial=0)
ANSWER = {"chunks": [f"word{number} " for number in range(8)]}
WHOLE = "".join(ANSWER["chunks"])


@pytest.fixture
def vendor_of(vendor: FakeVendor, profile: Profile, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the default profile one of the vendor's wires."""
    monkeypatch.setenv("FAKE_API_KEY", "sk-of-the-fake-vendor")

    def make(wire: str, **limits: Any) -> FakeVendor:
        address = getattr(vendor, f"{wire}_url")
        profile(kind=wire, base_uri=address, default_model="m-1", api_key_env="FAKE_API_KEY", limits=limits)
        return vendor

    return make


def tell(**options: Any) -> Run:
    @job("tell")
    async def tell_(step: StepContext) -> str:
        return (await chat(step, "draft", "Tell", **options)).text

    return jobs.start("tell", {}).run


def errors(run: Run) -> list[str]:
    rows = Attempt.objects.filter(run=run).order_by("number")
    return [row.error["type"] if row.error else row.outcome for row in rows]


@pytest.mark.parametrize("wire", WIRES)
def test_an_answer_comes_over_each_wire_and_is_counted_by_the_vendor(vendor_of: Any, wire: str) -> None:
    vendor = vendor_of(wire)
    vendor.script([ANSWER | {"reasoning": "Hm.", "usage": {"input_tokens": 11, "output_tokens": 7}}])
    run, seen = tell(), Seen()
    drain(frames=seen)
    assert jobs.get(run.id).output == WHOLE
    assert seen.text("draft") == WHOLE
    ((outcome, usage),) = usages(run, "draft")
    assert usage is not None
    assert (outcome, usage["provider"], usage["counted_by"]) == ("completed", wire, "provider")
    assert (usage["input_tokens"], usage["output_tokens"]) == (11, 7)
    (call,) = vendor.calls()
    assert call["key_tail"] == "ndor" or wire == "ollama"


@pytest.mark.parametrize("wire", WIRES)
def test_faults_that_pass_are_tried_again(vendor_of: Any, wire: str) -> None:
    vendor = vendor_of(wire)
    faults: list[dict[str, Any]] = [
        {"status": 500}, {"status": 503}, {"fault": "malformed"}, {"fault": "reset"},
    ]  # fmt: skip
    vendor.script([*({"nth": number, **fault} for number, fault in enumerate(faults, start=1)), ANSWER])
    run = tell(retries=AT_ONCE)
    drain()
    assert jobs.get(run.id).output == WHOLE
    assert errors(run)[0] == "Unavailable"
    assert errors(run)[2] == "MalformedAnswer"
    assert errors(run)[-1] == "completed"
    assert len(vendor.calls()) == len(errors(run)) == 5, "nothing is tried twice inside an attempt"


@pytest.mark.parametrize("wire", WIRES)
def test_a_rate_limit_is_waited_for_as_long_as_the_vendor_says(vendor_of: Any, wire: str) -> None:
    vendor = vendor_of(wire)
    vendor.script([{"nth": 1, "status": 429, "retry_after": 17}, ANSWER])
    run = run_to_end(tell())
    assert run.output == WHOLE
    assert errors(run) == ["RateLimited", "completed"]
    assert Event.objects.get(run=run, type="step:retry").data["delay_seconds"] >= 17


@pytest.mark.parametrize(
    ("fault", "type_"),
    [
        ({"fault": "refusal"}, "Refused"), ({"fault": "context_overflow"}, "ContextOverflow"),
        ({"status": 401}, "AuthenticationFailed"), ({"status": 400}, "BadRequest"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("wire", ["openai", "anthropic"])
def test_faults_that_stay_are_final_and_told_apart(
    vendor_of: Any, wire: str, fault: dict[str, Any], type_: str
) -> None:
    vendor = vendor_of(wire)
    vendor.script([fault])
    run = run_to_end(tell())
    assert (run.status, errors(run)) == ("failed", [type_])
    error = run.steps.get().error
    assert error["message"].endswith(".")
    assert "sk-of-the-fake-vendor" not in str(error)
    assert len(vendor.calls()) == 1


@pytest.mark.parametrize("wire", WIRES)
def test_a_cut_stream_becomes_one_clean_text_and_each_attempt_is_counted(
    vendor_of: Any, wire: str, settings: Any
) -> None:
    settings.LLM_PRICES = {"m-*": {"input": 1_000_000, "output": 1_000_000}}
    vendor = vendor_of(wire)
    vendor.script([ANSWER | {"nth": 1, "fault": "cut", "after_chunks": 3}, ANSWER])
    run, seen = tell(retries=AT_ONCE), Seen()
    drain(frames=seen)
    assert jobs.get(run.id).output == WHOLE
    assert seen.text("draft", 1) == "".join(ANSWER["chunks"][:3])
    assert seen.text("draft", 2) == WHOLE
    assert errors(run) == ["StreamCut", "completed"]
    for _, usage in usages(run, "draft"):
        assert usage is not None
        assert usage["cost"] == usage["input_tokens"] + usage["output_tokens"] > 0


def test_a_stream_that_stalls_is_ended_after_the_profiles_limit(vendor_of: Any) -> None:
    vendor = vendor_of("openai", timeout_seconds=0.3)
    vendor.script([ANSWER | {"nth": 1, "fault": "stall", "after_chunks": 2}, ANSWER])
    run = tell(retries=AT_ONCE)
    drain()
    assert jobs.get(run.id).output == WHOLE
    assert errors(run) == ["ProviderTimeout", "completed"]


def test_a_cancelled_run_closes_the_connection(vendor_of: Any) -> None:
    vendor = vendor_of("openai", concurrency=1)
    vendor.script([ANSWER | {"gate": "never", "gate_after": 2}])

    @job("hangs")
    async def hangs(step: StepContext) -> None:
        async def cancel() -> None:
            await asyncio.to_thread(vendor.wait_until, lambda stats: stats["now"] == 1)
            await asyncio.to_thread(_cancel, step.run_id)

        await asyncio.gather(chat(step, "call", "Hello"), step.run("cancel", cancel))

    run = jobs.start("hangs", {}).run
    drain()
    assert jobs.get(run.id).status == "cancelled"
    vendor.wait_until(lambda stats: stats["now"] == 0)
    assert vendor.calls()[0]["outcome"] == "abandoned"


def _cancel(run_id: Any) -> None:
    try:
        jobs.cancel(run_id)
    finally:
        connections.close_all()


def test_no_more_calls_than_the_limit_reach_the_vendor(vendor_of: Any) -> None:
    vendor = vendor_of("openai", concurrency=3)
    held = {"nth": [1, 2, 3], "text": "held until all slots are taken", "gate": "all", "gate_after": 1}
    vendor.script([held, {"text": "an answer of some words", "chunk_delay_seconds": 0.01}])

    @job("opens")
    async def opens(step: StepContext) -> None:
        def open_when_full() -> None:
            vendor.wait_until(lambda stats: stats["now"] == 3)
            vendor.open("all")

        await step.run("open", open_when_full)

    @job("many")
    async def many(step: StepContext) -> int:
        answers = await asyncio.gather(*(chat(step, f"call-{number}", f"Hello {number}") for number in range(4)))
        return len(answers)

    jobs.start("opens", {})
    runs = [jobs.start("many", {}).run for _ in range(5)]
    drain(timeout=timedelta(seconds=90))
    assert [jobs.get(run.id).output for run in runs] == [4] * 5
    assert vendor.stats()["calls"] == 20
    assert vendor.stats()["most_at_once"] == 3


@pytest.mark.parametrize("wire", ["openai", "ollama"])
def test_texts_become_vectors_over_each_wire_that_has_them(vendor_of: Any, wire: str) -> None:
    vendor_of(wire)

    @job("index")
    async def index(step: StepContext) -> int:
        return len((await embed(step, "vectors", ["one", "two"])).vectors)

    assert run_to_end(jobs.start("index", {}).run).output == 2


def test_a_vendor_without_vectors_says_so_at_once(vendor_of: Any) -> None:
    vendor_of("anthropic")

    @job("index")
    async def index(step: StepContext) -> None:
        await embed(step, "vectors", ["one"])

    assert errors(run_to_end(jobs.start("index", {}).run)) == ["NotSupported"]
