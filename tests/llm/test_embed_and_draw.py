"""Vectors and images are recorded steps too."""

import base64
from typing import Any

from flows.llm.draw import draw
from flows.llm.embed import BATCH, embed
from runs import jobs
from runs.jobs import StepContext, SyncStepContext, job
from runs.testing import run_to_end
from tests.llm.conftest import Profile, steps, usages


def test_texts_become_vectors_in_order_a_step_for_each_batch(profile: Profile, settings: Any) -> None:
    settings.LLM_PRICES = {"scripted": {"input": 1_000_000, "output": 0}}
    texts = [f"text number {number}" for number in range(BATCH + 2)]

    @job("index")
    async def index(step: StepContext) -> dict[str, Any]:
        whole = await embed(step, "vectors", texts)
        last = await embed(step, "last", texts[-1:])
        assert whole.vectors[-1] == last.vectors[0]
        return {"count": len(whole.vectors), "cost": whole.cost, "provider": whole.provider}

    run = run_to_end(jobs.start("index", {}).run)
    used = [usage for name in ("vectors", "vectors #2") for _, usage in usages(run, name)]
    assert run.output == {"count": BATCH + 2, "cost": sum(one["cost"] for one in used if one), "provider": "scripted"}
    assert steps(run) == dict.fromkeys(("vectors", "vectors #2", "last"), "completed")


def test_no_texts_need_no_call(profile: Profile) -> None:
    @job("empty")
    async def empty(step: StepContext) -> int:
        return len((await embed(step, "vectors", [])).vectors)

    run = run_to_end(jobs.start("empty", {}).run)
    assert (run.output, steps(run)) == (0, {})


def test_a_prompt_becomes_an_image(profile: Profile) -> None:
    @job("paint")
    def paint(step: SyncStepContext) -> str:
        (image,) = draw(step, "picture", "A sunset", size="64x64").images
        return image.media_type

    run = run_to_end(jobs.start("paint", {}).run)
    assert run.output == "image/png"
    recorded = run.steps.get().output
    assert base64.b64decode(recorded["images"][0]["data"]).startswith(b"\x89PNG")
    assert usages(run, "picture")[0][1] is not None


def test_an_image_that_no_step_may_record_fails_with_the_remedy(profile: Profile, settings: Any) -> None:
    settings.RUNS_MAX_PAYLOAD_BYTES = 8_192

    @job("paint")
    async def paint(step: StepContext) -> None:
        await draw(step, "picture", "A sunset")

    error = run_to_end(jobs.start("paint", {}).run).steps.get().error
    assert error["type"] == "ImageTooLarge"
    assert "smaller size" in error["message"]
