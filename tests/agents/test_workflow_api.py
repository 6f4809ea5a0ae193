"""A flow is started over the workflow API by its name, in its workspace, with its steps limited."""

import pytest
from django.contrib.auth.models import User

from flows.agents import stored
from flows.agents.workflows import flow_named
from perdure.accounts.tokens import create_token
from runs.errors import InvalidOption
from runs.models import Run
from tests.api.client import ApiClient, error_of

pytestmark = pytest.mark.django_db(transaction=True)
FLOW = """
name: greeting
description: Greets.
max_steps: 9
personas: {greeter: You greet.}
steps:
  - name: greet
    persona: greeter
    instruction: Greet.
    rules: [{condition: done, next: COMPLETE}]
"""


@pytest.fixture
def api() -> ApiClient:
    return ApiClient(create_token(User.objects.create_superuser("root"), "tests"))


def test_a_flow_is_begun_by_its_name_and_pinned(api: ApiClient) -> None:
    stored.store(FLOW)
    body = {"workflow": "greeting", "task": "Say it.", "userId": "bob", "metadata": {"maxIterations": 5}}
    answer = api.send("/api/workflows/start", body | {"idempotencyKey": "k"})
    assert answer.status_code == 201, answer.content
    run = Run.objects.get(id=answer.json()["workflowId"])
    assert (run.job, run.labels) == ("agent-flow", {"flow": "greeting", "userId": "bob"})
    given = run.input
    assert (given["flow"], given["task"], given["max_steps"], given["folder"]) == ("greeting", "Say it.", 5, "")
    assert given["definition"]
    again = api.send("/api/workflows/start", body | {"idempotencyKey": "k"})
    assert (again.status_code, again.json()["workflowId"]) == (200, str(run.id))
    said = api.get(f"/api/workflows/{run.id}/query").json()
    assert said["conversationHistory"][0]["content"] == "Say it."


def test_what_a_flow_cannot_take_is_refused(api: ApiClient) -> None:
    stored.store(FLOW)
    body = {"workflow": "greeting", "task": ["no", "text"]}
    error_of(api.send("/api/workflows/start", body), 400, "invalid_option")
    error_of(api.send("/api/workflows/start", {"workflow": "nothing", "task": "x"}), 404, "job_not_found")
    with pytest.raises(InvalidOption, match="Its personas name"):
        flow_named("greeting", {"metadata": {"llmConfig": {"model": "m"}}})
