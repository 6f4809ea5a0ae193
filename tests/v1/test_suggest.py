"""One question to a model: a stream at once, and a job like any other afterwards."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from perdure.accounts.tokens import create_token
from runs.testing import drain
from tests.api.client import ApiClient
from tests.api.conftest import Watch
from tests.live.conftest import _nothing_stays_open  # noqa: F401  (the watcher's connections)
from tests.live.people import ApiClient as AsyncApiClient
from tests.v1.conftest import error_of

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_question_is_answered_as_a_stream_and_stays_as_a_job(alice: Any) -> None:
    reader = AsyncApiClient({"Authorization": f"Bearer {await sync_to_async(create_token)(alice, 'reader')}"})
    body = json.dumps({"prompt": "What is {{ 7 * 7 }}?", "system": "Be short.", "model": "tiny", "max_tokens": 50})
    response = await reader.post("/v1/suggest/stream", body, content_type="application/json")
    assert response.headers["Content-Type"] == "application/x-ndjson"
    parts = response.streaming_content
    assert json.loads(await anext(parts))["event"] == "job_queued"
    await sync_to_async(drain)()
    last = json.loads(b"".join([part async for part in parts]).splitlines()[-1])
    assert last["event"] == "stream_finished"
    assert last["data"]["status"] == "succeeded", last["data"]["error"]
    [item] = last["data"]["result"]["items"]
    assert item["data"]["text"]
    assert last["data"]["input"]["options"]["prompt"] == "What is {{ 7 * 7 }}?"
    [listed] = (await reader.get("/v1/jobs?pipeline_type=suggest")).json()["jobs"]
    assert listed["id"] == last["job_id"]
    figures = (await reader.get("/v1/metrics")).json()
    assert (figures["provider_call_count"], figures["provider_call_errors"]) == ({"scripted": 1}, {"scripted": 0})
    assert figures["provider_chunk_count"]["scripted"] > 0
    assert figures["provider_call_latency"]["scripted"] >= 0


def test_what_cannot_be_asked_is_refused(api: ApiClient, anonymous: ApiClient, nothing_changes: Watch) -> None:
    with nothing_changes():
        for body in ({}, {"prompt": ""}, {"prompt": "x", "provider_profile_id": "none"}, {"prompt": "x", "more": 1}):
            error_of(api.send("/v1/suggest/stream", body), 400, "invalid_request")
        error_of(anonymous.send("/v1/suggest/stream", {"prompt": "x"}), 401, "not_authenticated")
        error_of(api.get("/v1/suggest/stream"), 405, "method_not_allowed")
