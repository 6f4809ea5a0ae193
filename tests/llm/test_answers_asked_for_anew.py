"""Not every cut answer is gone on after: JSON that is held to a schema and bare reasoning are asked for anew."""

from pydantic import BaseModel

from flows.llm.chat import chat
from runs import jobs
from runs.jobs import Retry, StepContext, job
from runs.testing import drain
from tests.llm.conftest import Profile
from tests.llm.seen import Seen

AT_ONCE = Retry(max_attempts=3, initial=0)
CHUNKS = ['{"name": ', '"Paris", ', '"inhabitants": ', "2102650}"]


class City(BaseModel):
    name: str
    inhabitants: int


def test_json_of_a_schema_begins_anew_after_a_cut(profile: Profile) -> None:
    fail = {"code": "stream_cut", "after_chunks": 2}
    profile(rules=[{"chunks": CHUNKS, "fail": fail, "times": 1}, {"chunks": CHUNKS}])

    @job("ask-city")
    async def ask_city(step: StepContext) -> City:
        found: City = (await chat(step, "city", "Paris?", output_type=City, retries=AT_ONCE)).output
        return found

    run, seen = jobs.start("ask-city", {}).run, Seen()
    drain(frames=seen)
    assert jobs.get(run.id).output == {"name": "Paris", "inhabitants": 2102650}
    assert seen.text("city", 1) == "".join(CHUNKS[:2])
    assert seen.text("city", 2) == "".join(CHUNKS)
    assert run.steps.get().failures == 1


def test_reasoning_alone_is_not_shown_twice(profile: Profile) -> None:
    rule = {"reasoning": ["Let me ", "think."], "text": "Done."}
    profile(rules=[{**rule, "fail": {"code": "stream_cut"}, "times": 1}, rule])

    @job("ask-thinker")
    async def ask_thinker(step: StepContext) -> str:
        return (await chat(step, "thought", "Think", retries=AT_ONCE)).messages[-1].reasoning

    run, seen = jobs.start("ask-thinker", {}).run, Seen()
    drain(frames=seen)
    assert jobs.get(run.id).output == "Let me think."
    told = [frame["text"] for frame in seen.frames["thought", 2] if frame["type"] == "reasoning"]
    assert "".join(told) == "Let me think."


def test_what_was_wrong_with_an_answer_is_known_also_after_a_cut(profile: Profile) -> None:
    cut = {"code": "stream_cut", "after_chunks": 2}
    profile(
        rules=[
            {"match": "does not fit", "chunks": CHUNKS, "fail": cut, "times": 1},
            {"match": "does not fit", "chunks": CHUNKS},
            {"json": {"name": "Paris"}},
        ]
    )

    @job("ask-city")
    async def ask_city(step: StepContext) -> str:
        return str((await chat(step, "city", "Paris?", output_type=City, retries=AT_ONCE)).output.name)

    run = jobs.start("ask-city", {}).run
    drain()
    assert jobs.get(run.id).output == "Paris"
    assert run.steps.get().attempts == 3
