"""What jobs are made of, below /v1/config/ and in the native doors; the health door and foreign origins."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.test import Client

from flows.llm.models import ProviderProfile
from flows.pipelines.models import PipelineDefinition
from perdure.accounts.tokens import create_token
from tests.api.client import ApiClient
from tests.api.client import error_of as native_error_of
from tests.api.conftest import Watch
from tests.v1.conftest import PIPELINES, Start, error_of

pytestmark = pytest.mark.django_db(transaction=True)
PROFILE = {"id": "local", "kind": "openai", "base_uri": "http://localhost:11434/v1", "default_model": "small"}
GREETING = {"type": "greeting", "version": "1", "steps": [{"id": "greet", "kind": "map", "prompt": {"user": "Hello"}}]}

CYCLE = """type: cycle
version: "1"
steps:
  - {id: a, kind: map, depends_on: [b], prompt: {user: "a"}}
  - {id: b, kind: map, depends_on: [a], prompt: {user: "b"}}
"""


@pytest.fixture
def as_staff(db: None) -> ApiClient:
    """May add definitions and profiles, and change none."""
    user = User.objects.create_user("sam", is_staff=True)
    wanted = ["add_pipelinedefinition", "add_providerprofile", "view_providerprofile"]
    user.user_permissions.add(*Permission.objects.filter(codename__in=wanted))
    return ApiClient(create_token(user, "tests"))


def test_a_provider_profile_is_created_and_then_changed(as_admin: ApiClient, api: ApiClient) -> None:
    answer = as_admin.send("/v1/config/providers", PROFILE)
    assert (answer.status_code, answer.json()["provider"]["base_uri"]) == (200, PROFILE["base_uri"])
    changed = as_admin.send("/v1/config/providers/", PROFILE | {"default_model": "large", "api_key_env": "MY_API_KEY"})
    assert changed.json()["provider"]["default_model"] == "large"
    assert ProviderProfile.objects.get(pk="local").default_model == "large"
    seen = {one["id"]: one for one in api.get("/v1/config/providers").json()["providers"]}
    assert (seen["local"]["default_model"], seen["local"]["api_key_env"]) == ("large", None)


def test_a_secret_is_refused_and_stored_nowhere(as_admin: ApiClient, nothing_changes: Watch) -> None:
    with nothing_changes():
        for body in (PROFILE | {"api_key": "sk-secret"}, PROFILE | {"extra": {"headers": {"X-Api-Key": "sk-secret"}}}):
            error = error_of(as_admin.send("/v1/config/providers", body), 400, "secret_not_accepted")
            assert "api_key_env" in error["message"]
            assert "sk-secret" not in str(error)


def test_only_staff_with_the_permission_configure(
    api: ApiClient, anonymous: ApiClient, as_staff: ApiClient, nothing_changes: Watch
) -> None:
    with nothing_changes():
        for path, body in (("providers", PROFILE), ("pipelines", GREETING)):
            error_of(api.send(f"/v1/config/{path}", body), 403, "permission_denied")
            error_of(anonymous.send(f"/v1/config/{path}", body), 401, "not_authenticated")
            error_of(anonymous.get(f"/v1/config/{path}"), 401, "not_authenticated")
        native_error_of(api.send("/api/pipelines/", {"document": GREETING}), 403, "permission_denied")
    assert as_staff.send("/v1/config/providers", PROFILE).status_code == 200
    again = as_staff.send("/v1/config/providers", PROFILE | {"default_model": "large"})
    error_of(again, 409, "provider_exists")


def test_a_pipeline_is_stored_listed_and_run(as_staff: ApiClient, api: ApiClient) -> None:
    answer = as_staff.send("/v1/config/pipelines", GREETING)
    assert (answer.status_code, answer.json()["pipeline"]["versions"]) == (200, ["1"])
    listed = api.get("/v1/config/pipelines").json()["pipelines"]
    assert [one["type"] for one in listed] == ["greeting", *PIPELINES]
    assert listed[-1]["steps"][0]["mode"] == "fanout"
    assert api.send("/v1/jobs", {"pipeline_type": "greeting"}).status_code == 202
    other = GREETING | {"title": "Another"}
    error_of(as_staff.send("/v1/config/pipelines", other), 409, "pipeline_exists")
    error_of(as_staff.send("/v1/config/pipelines", {"type": "x"}), 400, "invalid_request")
    error_of(as_staff.send("/v1/config/pipelines", []), 400, "invalid_request")


def test_the_native_doors_list_check_and_store(as_staff: ApiClient, api: ApiClient) -> None:
    text = CYCLE.replace("depends_on: [b]", "depends_on: []")
    good = api.send("/api/pipelines/validate/", {"document": text}).json()
    assert (good["valid"], good["type"], good["problems"]) == (True, "cycle", [])
    bad = api.send("/api/pipelines/validate/", {"document": CYCLE}).json()
    assert bad["valid"] is False
    assert bad["problems"][0]["line"] in (4, 5)
    assert not PipelineDefinition.objects.filter(type="cycle").exists()

    made = as_staff.send("/api/pipelines/", {"document": text})
    assert (made.status_code, made.json()["type"]) == (201, "cycle")
    assert api.get(made.headers["Location"]).json()["version"] == "1"
    assert [one["type"] for one in api.get("/api/pipelines/").json()["results"]] == ["cycle", *PIPELINES]
    native_error_of(api.get("/api/pipelines/nothing/"), 404, "pipeline_not_found")
    native_error_of(api.get("/api/pipelines/notes/?version=9"), 404, "pipeline_not_found")
    native_error_of(as_staff.send("/api/pipelines/", {"document": "steps: ["}), 400, "invalid_pipeline")


def test_figures_are_of_jobs_that_one_may_see(api: ApiClient, as_mallory: ApiClient, start: Start) -> None:
    start()
    assert api.get("/v1/metrics").json() == {
        "provider_call_count": {}, "provider_call_latency": {}, "provider_call_errors": {}, "provider_chunk_count": {},
        "jobs": 1,
    }  # fmt: skip
    assert as_mallory.get("/v1/metrics").json()["jobs"] == 0


def test_anybody_learns_that_it_is_up_and_since_when(client: Client) -> None:
    told = client.get("/health").json()
    assert told.keys() == {"status", "version", "uptime_sec"}
    assert (told["status"], told["version"], told["uptime_sec"] >= 0) == ("ok", settings.VERSION, True)


def test_allowed_origins_may_use_the_pipeline_api(client: Client, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    for path in ("/v1/jobs", "/health", "/api/runs/"):
        answer = client.get(path, headers={"Origin": "https://app.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    allowed = client.options("/v1/jobs", headers=asked).headers["Access-Control-Allow-Headers"].split(", ")
    assert {"authorization", "content-type", "idempotency-key"} <= set(allowed)
    assert "Access-Control-Allow-Origin" not in client.get("/sign-in/", headers={"Origin": "https://app.example"})
