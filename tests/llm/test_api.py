"""Profiles over REST: members read which there are, staff with the permission say where they lead."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from flows.llm.models import ProviderProfile
from perdure.accounts.tokens import create_token
from runs.models import Audit
from tests.api.client import ApiClient, error_of
from tests.api.conftest import (
    Watch,
    alice,
    anonymous,
    api,
    as_admin,
    as_mallory,
    bob,
    mallory,
    nothing_changes,
    team,
)
from tests.llm.conftest import Profile

__all__ = ["alice", "anonymous", "api", "as_admin", "as_mallory", "bob", "mallory", "nothing_changes", "team"]

KEY = "sk-never-to-be-seen-0815"
BODY = {"id": "local", "kind": "openai", "base_uri": "http://llm.example/v1/", "default_model": "m"}


@pytest.fixture
def as_staff(bob: User) -> ApiClient:
    """Bob as staff that may do everything with profiles."""
    bob.is_staff = True
    bob.save()
    bob.user_permissions.add(*Permission.objects.filter(content_type__app_label="llm"))
    return ApiClient(create_token(bob, "staff"))


def put(client: ApiClient, id: str, body: Any) -> Any:
    return client.put(f"/api/providers/{id}/", body, content_type="application/json")


def test_staff_create_change_and_delete_profiles(as_staff: ApiClient) -> None:
    made = as_staff.send("/api/providers/", BODY | {"api_key_env": "SOME_API_KEY", "limits": {"concurrency": 2}})
    assert made.status_code == 201
    assert made.headers["Location"].endswith("/api/providers/local/")
    shown = made.json()
    assert (shown["base_uri"], shown["api_key_env"]) == ("http://llm.example/v1", "SOME_API_KEY")
    assert shown["limits"] == {"concurrency": 2, "timeout_seconds": 120.0, "max_tokens": None}
    changed = put(as_staff, "local", {"kind": "ollama"}).json()
    assert (changed["kind"], changed["base_uri"], changed["api_key_env"]) == ("ollama", "", "")
    error_of(as_staff.send("/api/providers/", BODY), 409, "provider_exists")
    assert as_staff.delete("/api/providers/local/").status_code == 204
    for answer in (as_staff.get("/api/providers/local/"), put(as_staff, "local", {"kind": "ollama"})):
        error_of(answer, 404, "provider_not_found")
    error_of(as_staff.delete("/api/providers/local/"), 404, "provider_not_found")
    assert list(Audit.objects.filter(target="local").order_by("id").values_list("action", "target", "actor_kind")) == [
        ("provider.create", "local", "token"), ("provider.change", "local", "token"),
        ("provider.delete", "local", "token"),
    ]  # fmt: skip


def test_members_read_what_they_need_to_choose_one(profile: Profile, api: ApiClient, as_mallory: ApiClient) -> None:
    profile("a", kind="openai", base_uri="http://inside.example", api_key_env="SOME_API_KEY", extra={"body": {}})
    for client in (api, as_mallory):
        (shown,) = client.get("/api/providers/").json()["results"]
        assert (shown["id"], shown["kind"]) == ("a", "openai")
        assert [shown[name] for name in ("base_uri", "api_key_env", "secret_file", "extra")] == [None] * 4
        assert client.get("/api/providers/a/").json() == shown


def test_nobody_is_shown_a_secret(
    profile: Profile, as_staff: ApiClient, as_admin: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", KEY)
    profile("a", kind="openai", api_key_env="SOME_API_KEY")
    for client in (as_staff, as_admin):
        text = client.get("/api/providers/a/").content.decode()
        assert "SOME_API_KEY" in text
        assert KEY not in text


@pytest.mark.parametrize(
    "body",
    [BODY | {"api_key": KEY}, BODY | {"limits": {"api_key": KEY}}, {"extra": {"headers": {"Authorization": KEY}}}],
    ids=str,
)
def test_a_secret_is_refused_before_anything_else_is_said_of_the_body(
    as_staff: ApiClient, profile: Profile, body: dict[str, Any], nothing_changes: Watch
) -> None:
    profile("a")
    as_staff.get("/api/providers/")
    with nothing_changes():
        for answer in (as_staff.send("/api/providers/", body), put(as_staff, "a", body)):
            error = error_of(answer, 400, "secret_not_accepted")
            assert "api_key_env" in error["message"]
            assert KEY not in answer.content.decode()


@pytest.mark.parametrize(
    "change",
    [{"kind": "gpt"}, {"id": "No Spaces"}, {"id": "../x"}, {"id": ""}, {"base_uri": "file:///etc/passwd"},
     {"limits": {"concurrency": 0}}, {"limits": {"concurrency": "3"}}, {"limits": {"concurrency": True}},
     {"limits": {"timeout_seconds": -1}}, {"limits": None}, {"extra": []}, {"api_key_env": "PERDURE_SECRET_KEY"},
     {"secret_file": "x"}, {"unknown": 1}, {"extra": {"scenario": "/etc/passwd"}}, {"extra": {"a": "x" * 70_000}}],
    ids=lambda change: str(change)[:60],
)  # fmt: skip
def test_what_does_not_fit_changes_nothing(as_staff: ApiClient, change: dict[str, Any], nothing_changes: Watch) -> None:
    with nothing_changes():
        error_of(as_staff.send("/api/providers/", BODY | change), 400, "invalid_request")


def test_the_default_stays(as_staff: ApiClient, profile: Profile, nothing_changes: Watch) -> None:
    profile("default")
    with nothing_changes():
        error_of(as_staff.delete("/api/providers/default/"), 409, "provider_needed")


def test_others_change_nothing(
    profile: Profile, api: ApiClient, as_mallory: ApiClient, anonymous: ApiClient, alice: User, nothing_changes: Watch
) -> None:
    profile("a")
    alice.is_staff = True
    alice.save()  # staff without the permission
    with nothing_changes():
        for client in (api, as_mallory):
            error_of(client.send("/api/providers/", BODY), 403, "permission_denied")
            error_of(put(client, "a", {"kind": "openai"}), 403, "permission_denied")
            error_of(client.delete("/api/providers/a/"), 403, "permission_denied")
        for path in ("/api/providers/", "/api/providers/a/"):
            error_of(anonymous.get(path), 401, "not_authenticated")
    assert ProviderProfile.objects.get().kind == "scripted"
