"""The stream of a job over HTTP: every line once and in order, wherever one begins."""

import json
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async

from perdure.accounts.tokens import create_token
from runs.models import Event, Run
from runs.testing import drain
from tests.api.client import ApiClient
from tests.live.conftest import _nothing_stays_open  # noqa: F401  (the watcher's connections)
from tests.live.people import ApiClient as AsyncApiClient
from tests.v1.conftest import INPUT, Start, error_of

pytestmark = pytest.mark.django_db(transaction=True)
Lines = list[dict[str, Any]]


@pytest.fixture
def reader(alice: Any) -> AsyncApiClient:
    return AsyncApiClient({"Authorization": f"Bearer {create_token(alice, 'reader')}"})


async def read(response: Any) -> Lines:
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"] == "application/x-ndjson"
    text = b"".join([part async for part in response.streaming_content]).decode()
    return [json.loads(line) for line in text.splitlines()]


async def follow(reader: AsyncApiClient, job_id: str, after: int | None = None) -> Lines:
    query = "" if after is None else f"?after_seq={after}"
    return await read(await reader.get(f"/v1/jobs/{job_id}/stream{query}"))


def without_times(job: dict[str, Any]) -> dict[str, Any]:
    """A line has the times of events, a job those of rows: some microseconds apart."""
    steps = [{name: step[name] for name in step if not name.endswith("_at")} for step in job["step_executions"]]
    return {name: job[name] for name in job if name != "updated_at"} | {"step_executions": steps}


async def test_the_stream_of_a_job_tells_it_from_its_start_to_its_end(reader: AsyncApiClient, start: Start) -> None:
    job_id = await sync_to_async(start)()
    lines = await follow(reader, job_id)
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert {line["job_id"] for line in lines} == {job_id}
    said = [line["event"] for line in lines]
    assert said[:4] == ["job_queued", "job_started", "job_status", "step_started"]
    assert said[-3:] == ["job_status", "job_completed", "stream_finished"]
    assert (said.count("item_completed"), said.count("step_completed")) == (4, 3)
    last, shown = lines[-1]["data"], (await reader.get(f"/v1/jobs/{job_id}")).json()["job"]
    assert without_times(last) == without_times(shown)


@pytest.mark.parametrize(
    ("pipeline", "status", "states", "failures"),
    [("may-fail", "failed", ["failed", "pending"], 1), ("may-skip", "succeeded", ["success", "success"], 0)],
)
async def test_a_shard_that_fails_is_told_alike_by_the_stream_and_by_the_job(
    reader: AsyncApiClient, start: Start, pipeline: str, status: str, states: list[str], failures: int
) -> None:
    job_id = await sync_to_async(start)(pipeline_type=pipeline)
    lines = await follow(reader, job_id)
    last, shown = lines[-1]["data"], (await reader.get(f"/v1/jobs/{job_id}")).json()["job"]
    assert (shown["status"], [step["status"] for step in shown["step_executions"]]) == (status, states)
    assert without_times(last) == without_times(shown)
    assert [line["event"] for line in lines].count("step_failed") == failures
    if failures:
        assert (shown["error"]["code"], shown["error"]["details"]["steps"]) == ("step_failed", ["read[1]"])


async def test_a_cancelled_job_is_told_alike_by_the_stream_and_by_the_job(reader: AsyncApiClient, start: Start) -> None:
    job_id = await sync_to_async(start)(budget={"steps": 5})
    shown = (await reader.post(f"/v1/jobs/{job_id}/cancel", "{}", content_type="application/json")).json()["job"]
    lines = await follow(reader, job_id)
    assert without_times(lines[-1]["data"]) == without_times(shown)
    assert [line["event"] for line in lines][-3:] == ["job_status", "job_cancelled", "stream_finished"]
    assert [line["event"] for line in lines].count("step_cancelled") == 2


async def test_a_reader_goes_on_after_any_line(reader: AsyncApiClient, start: Start) -> None:
    job_id = await sync_to_async(start)()
    whole = await follow(reader, job_id)
    for held in (1, 4, len(whole) // 2, len(whole) - 1):
        assert await follow(reader, job_id, held) == whole[held:]
    assert await follow(reader, job_id, len(whole)) == []


async def test_a_job_is_started_and_followed_in_one_request(reader: AsyncApiClient) -> None:
    body = json.dumps({"pipeline_type": "notes", "input": INPUT})
    response = await reader.post(
        "/v1/jobs?stream=true", body, content_type="application/json", headers={"Accept": "application/x-ndjson"}
    )
    parts = response.streaming_content
    first = json.loads(await anext(parts))
    assert (first["seq"], first["event"], first["data"]["status"]) == (1, "job_queued", "queued")
    await sync_to_async(drain)()
    rest = b"".join([part async for part in parts]).decode().splitlines()
    assert json.loads(rest[-1])["event"] == "stream_finished"
    assert json.loads(rest[-1])["data"]["status"] == "succeeded"


async def test_a_reader_that_leaves_stops_nothing(reader: AsyncApiClient, start: Start) -> None:
    job_id = await sync_to_async(start)(work=False)
    response = await reader.get(f"/v1/jobs/{job_id}/stream")
    await anext(response.streaming_content)
    await response.streaming_content.aclose()
    await sync_to_async(drain)()
    assert (await follow(reader, job_id))[-1]["data"]["status"] == "succeeded"


def test_a_number_that_is_none_is_refused(api: ApiClient, start: Start) -> None:
    job_id = start()
    for text in ("x", "-1", "1.5", "", "٣", "9" * 30):
        error_of(api.get(f"/v1/jobs/{job_id}/stream", {"after_seq": text}), 400, "invalid_request")
    error_of(api.get(f"/v1/jobs/{job_id}/stream?after=1"), 400, "invalid_request")


def test_outside_of_what_is_held_there_is_nothing(api: ApiClient, start: Start) -> None:
    job_id = start()
    beyond = error_of(api.get(f"/v1/jobs/{job_id}/stream?after_seq=1000"), 410, "stream_window_passed")
    assert (beyond["details"]["first_seq"], beyond["details"]["last_seq"] > 10) == (1, True)
    Run.objects.filter(id=UUID(job_id)).update(first_sequence=5)
    Event.objects.filter(run=UUID(job_id), sequence__lt=5).delete()
    gone = error_of(api.get(f"/v1/jobs/{job_id}/stream"), 410, "stream_window_passed")
    assert gone["details"] == {"first_seq": None, "last_seq": None}


def test_only_lines_are_sent(api: ApiClient, start: Start) -> None:
    job_id = start(work=False)
    error_of(api.get(f"/v1/jobs/{job_id}/stream", headers={"Accept": "text/html"}), 406, "not_acceptable")
    error_of(api.send(f"/v1/jobs/{job_id}/stream"), 405, "method_not_allowed")
    head = api.head(f"/v1/jobs/{job_id}/stream")
    assert (head.status_code, head.headers["Content-Type"]) == (200, "application/x-ndjson")
