"""The shared case of a pipeline, over connections that are cut at every tenth line."""

import asyncio
from collections import Counter

import pytest
from conftest import CASES, CUT_URL, TOKEN

from perdure_client import AsyncPerdureClient, PerdureClient, PerdureError, StreamLine

CASE = CASES["pipeline"]
INPUT = {
    "sources": [
        {"kind": "note", "label": f"n{number}", "content": CASE["content"]} for number in range(CASE["sources"])
    ]
}


def check(lines: list[StreamLine], counts: dict[str, int]) -> None:
    """Numbers have no gap; a chunk has that of the line before it, and none comes twice."""
    lasting = [line.seq for line in lines if line.event not in CASE["passing"]]
    assert lasting == list(range(1, len(lasting) + 1))
    assert [line.seq for line in lines] == sorted(line.seq for line in lines)
    assert lines[-1].event == "stream_finished"
    chunks = [line.data["index"] for line in lines if line.event == "provider_chunk"]
    assert chunks == sorted(set(chunks))
    seen = Counter(line.event for line in lines)
    assert {name: seen[name] for name in counts} == counts


def test_a_stream_of_a_pipeline_has_every_line_once(cut_client: PerdureClient) -> None:
    job = cut_client.pipelines.create(CASE["type"], INPUT)
    lines = list(cut_client.pipelines.stream(job.id))
    check(lines, CASE["counts"])
    ended = cut_client.pipelines.get(job.id)
    assert ended.status == "succeeded"
    assert ended.result is not None
    assert ended.result.items[-1].data["text"] == " ".join([CASE["text"]] * CASE["sources"])
    last = lines[-1].seq
    assert [line.seq for line in cut_client.pipelines.stream(job.id, after_seq=last - 2)] == [last - 1, last]


def test_the_asynchronous_client_streams_it_too() -> None:
    async def follow() -> list[StreamLine]:
        async with AsyncPerdureClient(CUT_URL, TOKEN) as client:
            job = await client.pipelines.create(CASE["type"], INPUT)
            return [line async for line in client.pipelines.stream(job.id)]

    check(asyncio.run(follow()), CASE["counts"])


def test_a_synchronous_start_answers_with_the_ended_job_and_a_rerun_reuses_its_items(cut_client: PerdureClient) -> None:
    job = cut_client.pipelines.create(CASE["type"], INPUT, mode="sync")
    assert job.status == "succeeded"
    again = cut_client.pipelines.rerun(job.id, from_step_id=CASE["from_step"], reuse_upstream=True)
    assert again.parent_job_id == job.id
    check(list(cut_client.pipelines.stream(again.id)), CASE["rerun_counts"])
    ended = cut_client.pipelines.get(again.id)
    assert {step.step_id: step.status for step in ended.step_executions} == CASE["rerun_statuses"]
    assert again.id in {one.id for one in cut_client.pipelines.list().jobs}


def test_a_job_that_has_ended_is_cancelled_without_effect(client: PerdureClient) -> None:
    job = client.pipelines.create(CASE["type"], INPUT, mode="sync")
    assert client.pipelines.cancel(job.id, "too late").status == "succeeded"


def test_configuration_and_figures_are_read_and_profiles_written(client: PerdureClient) -> None:
    assert CASE["type"] in {pipeline.type for pipeline in client.pipelines.definitions()}
    assert client.pipelines.metrics().jobs >= 0
    made = client.pipelines.upsert_provider(
        id="clients", kind="openai", base_uri="http://127.0.0.1:9/v1", default_model="m"
    )
    assert made["id"] in {profile["id"] for profile in client.pipelines.providers()}


def test_refusals_of_the_pipeline_api_have_their_codes(client: PerdureClient) -> None:
    with pytest.raises(PerdureError) as unknown:
        client.pipelines.create("no-such-pipeline", INPUT)
    assert {"status": unknown.value.status, "code": unknown.value.code} == CASE["unknown_type"]
    with pytest.raises(PerdureError) as secret:
        client.pipelines.upsert_provider(id="clients", kind="openai", api_key="sk-1")
    assert {"status": secret.value.status, "code": secret.value.code} == CASE["secret"]
