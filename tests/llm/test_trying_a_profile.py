"""An operator asks a profile's model once, from the admin, to see whether it works."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from flows.llm.models import ProviderProfile
from runs.models import Audit
from tests.llm.conftest import Profile

pytestmark = pytest.mark.django_db
LIST = "/admin/llm/providerprofile/"
KEY = "sk-never-to-be-seen-0815"


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def call(client: Client, *profiles: str) -> str:
    sent = {"action": "try_profiles", "_selected_action": list(profiles)}
    return client.post(LIST, sent, follow=True).content.decode()


def test_a_model_that_answers_is_shown_with_its_words_and_time(admin: Client, profile: Profile) -> None:
    profile("quick", extra={"scenario": {"rules": [{"text": "ready when you are"}]}})
    assert "ready when you are" in call(admin, "quick")
    row = Audit.objects.get(action="provider.try")
    assert (row.target, row.actor_name, row.data["error"]) == ("quick", "root", "")
    page = admin.get(LIST).content.decode()
    assert "answered in" in page
    assert "never" not in page


def test_one_that_fails_says_its_code_and_counts_as_failing(admin: Client, profile: Profile) -> None:
    profile("tired", extra={"scenario": {"rules": [{"fail": {"code": "rate_limited"}}]}})
    assert "tired: rate_limited." in call(admin, "tired")
    assert "rate_limited" in admin.get(LIST).content.decode()
    assert "rate_limited" in admin.get("/admin/").content.decode()


def test_a_key_that_a_vendor_repeats_is_masked(
    admin: Client, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIED_API_KEY", KEY)
    rules = [{"fail": {"code": "authentication_failed", "message": f"the key {KEY} is unknown"}}]
    profile("leaky", api_key_env="TRIED_API_KEY", extra={"scenario": {"rules": rules}})
    page = call(admin, "leaky")
    assert "authentication_failed" in page
    assert KEY not in page
    assert KEY not in str(Audit.objects.get(action="provider.try").data)


def test_a_missing_secret_is_found_without_a_call(admin: Client, profile: Profile) -> None:
    profile("whole")
    profile("keyless", kind="openai", base_uri="http://localhost:9/v1", api_key_env="NOT_SET_API_KEY")
    assert "keyless: secret_missing." in call(admin, "keyless")
    failing, ready = (
        admin.get(f"{LIST}?state=fails").content.decode(),
        admin.get(f"{LIST}?state=ready").content.decode(),
    )
    assert (">keyless<" in failing, ">whole<" in failing) == (True, False)
    assert (">keyless<" in ready, ">whole<" in ready) == (False, True)


def test_a_few_are_called_at_once_and_no_more(admin: Client, profile: Profile) -> None:
    names = [f"one-{number}" for number in range(5)]
    for name in names:
        profile(name)
    assert "Choose 4 profiles at most." in call(admin, *names)
    assert not Audit.objects.filter(action="provider.try").exists()


def test_staff_that_may_only_look_calls_nobody(client: Client, profile: Profile) -> None:
    profile("quick")
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_providerprofile"))
    client.force_login(clerk)
    call(client, "quick")
    assert "Call it once" not in client.get(f"{LIST}quick/change/").content.decode()
    assert not Audit.objects.filter(action="provider.try").exists()


def test_others_are_sent_away(client: Client, profile: Profile) -> None:
    profile("quick")
    assert client.post(LIST, {"action": "try_profiles", "_selected_action": ["quick"]}).status_code == 302
    client.force_login(User.objects.create_user("member"))
    assert client.post(LIST, {"action": "try_profiles", "_selected_action": ["quick"]}).status_code == 302
    assert ProviderProfile.objects.filter(pk="quick").exists()
    assert not Audit.objects.filter(action="provider.try").exists()
