"""Profiles in the admin: the same rules as over REST, and whether the secret is found here."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from flows.llm.models import ProviderProfile
from runs.models import Audit
from tests.llm.conftest import Profile

LIST = "/admin/llm/providerprofile/"
KEY = "sk-never-to-be-seen-0815"
FORM = {"id": "local", "kind": "openai", "base_uri": "http://llm.example/v1", "default_model": "m", "api_key_env": "",
        "secret_file": "", "limits": '{"concurrency": 4}', "extra": "{}"}  # fmt: skip


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def test_a_profile_is_added_and_changed_as_over_rest(admin: Client) -> None:
    assert admin.post(f"{LIST}add/", FORM).status_code == 302
    assert ProviderProfile.objects.get().limits == {"concurrency": 4, "timeout_seconds": 120.0, "max_tokens": None}
    assert admin.post(f"{LIST}local/change/", FORM | {"kind": "ollama"}).status_code == 302
    assert ProviderProfile.objects.get().kind == "ollama"
    assert list(Audit.objects.order_by("id").values_list("action", "actor_name")) == [
        ("provider.create", "root"), ("provider.change", "root"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"base_uri": "file:///etc/passwd"}, "http or https"), ({"extra": '{"api_key": "sk"}'}, "never stored"),
        ({"limits": '{"concurrency": 0}'}, "limits.concurrency"), ({"limits": "[1]"}, "limits"),
        ({"api_key_env": "PERDURE_SECRET_KEY"}, "LLM_SECRET_NAMES"), ({"secret_file": "x"}, "LLM_SECRET_FOLDER"),
        ({"id": "Not An Id"}, "small letters"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_at_its_field(admin: Client, wrong: dict[str, Any], told: str) -> None:
    page = admin.post(f"{LIST}add/", FORM | wrong)
    assert page.status_code == 200
    assert told in page.content.decode()
    assert not ProviderProfile.objects.exists()


def test_the_list_says_whether_the_secret_is_found_and_shows_it_nowhere(
    admin: Client, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SET_API_KEY", KEY)
    profile("a", kind="openai", api_key_env="SET_API_KEY")
    profile("b", kind="openai", api_key_env="ABSENT_API_KEY")
    page = admin.get(LIST).content.decode()
    assert "ABSENT_API_KEY: not set here" in page
    assert "SET_API_KEY" in page
    assert KEY not in page + admin.get(f"{LIST}a/change/").content.decode()


def test_the_default_has_no_delete_and_the_others_do(admin: Client, profile: Profile) -> None:
    profile("default")
    profile("other")
    assert admin.post(f"{LIST}default/delete/", {"post": "yes"}).status_code == 403
    assert admin.post(f"{LIST}other/delete/", {"post": "yes"}).status_code == 302
    profile("other")
    chosen = {"action": "delete_selected", "_selected_action": ["default", "other"], "post": "yes"}
    admin.post(LIST, chosen)
    assert ProviderProfile.objects.filter(pk="default").exists()


def test_the_environment_is_named_where_it_holds(admin: Client, profile: Profile, settings: Any) -> None:
    settings.LLM_PROVIDER_URL = "http://localhost:11434/v1#m"
    profile("default")
    assert "PERDURE_PROVIDER_URL" in admin.get(LIST).content.decode()


def test_calls_under_way_are_listed(admin: Client) -> None:
    assert admin.get("/admin/llm/callslot/").status_code == 200


def test_members_see_nothing_of_it(client: Client) -> None:
    client.force_login(User.objects.create_user("alice"))
    assert client.get(LIST).status_code == 302
