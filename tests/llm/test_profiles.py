"""What holds for a call: of its override, else of the profile, else the defaults; and where its secret comes from."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from flows.llm.chat import chat
from flows.llm.errors import InvalidProfile, ProfileNeeded, ProfileNotFound, SecretMissing, SecretNotAccepted
from flows.llm.models import CallSlot, ProviderProfile
from flows.llm.prices import cost_of
from flows.llm.profiles import delete_profile, refuse_risky_override, resolve
from flows.llm.spec import read_spec
from providers.replies import Usage
from runs import clock, jobs
from runs.jobs import SYSTEM, StepContext, job
from runs.models import Event, Run
from runs.testing import drain, frozen_worker, run_to_end
from tests.llm.conftest import Profile

KEY = "sk-never-to-be-seen-0815"


def test_an_override_goes_before_the_profile_and_the_profile_before_the_defaults(profile: Profile) -> None:
    profile("a", kind="openai", base_uri="http://one.example/v1", default_model="m", limits={"concurrency": 3})
    plain = resolve("a")
    assert (plain.endpoint.base_url, plain.endpoint.default_model) == ("http://one.example/v1", "m")
    assert (plain.limits.concurrency, plain.endpoint.timeout_seconds) == (3, 120)
    other = resolve("a", {"default_model": "n", "limits": {"timeout_seconds": 5}, "extra": {"body": {"seed": 1}}})
    assert (other.endpoint.default_model, other.endpoint.timeout_seconds) == ("n", 5)
    assert (other.limits.concurrency, other.endpoint.extra) == (3, {"body": {"seed": 1}})


def test_the_limit_of_calls_is_not_one_calls_to_raise(profile: Profile) -> None:
    profile("a", limits={"concurrency": 3})
    with pytest.raises(InvalidProfile, match="belongs to all calls"):
        resolve("a", {"limits": {"concurrency": 100}})


def test_the_default_is_the_scripted_provider_until_somebody_says_another() -> None:
    assert not ProviderProfile.objects.exists()
    assert resolve("default").endpoint.wire == "scripted"
    with pytest.raises(ProfileNotFound):
        resolve("other")
    with pytest.raises(ProfileNeeded):
        delete_profile("default", SYSTEM)


def test_one_setting_points_the_default_elsewhere(
    profile: Profile, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", KEY)
    profile("default", default_model="stored", limits={"concurrency": 2})
    settings.LLM_PROVIDER_URL, settings.LLM_PROVIDER_KEY_ENV = "http://localhost:11434/v1#llama3.2:3b", "SOME_API_KEY"
    found = resolve("default")
    assert (found.endpoint.wire, found.endpoint.base_url) == ("openai", "http://localhost:11434/v1")
    assert (found.endpoint.default_model, found.limits.concurrency) == ("llama3.2:3b", 2)
    assert found.endpoint.key() == KEY
    settings.LLM_PROVIDER_URL = "anthropic+https://api.example"
    assert (resolve("default").endpoint.kind, resolve("default").endpoint.default_model) == ("anthropic", "stored")


def test_a_secret_is_read_from_its_variable_or_its_file_at_each_call(
    profile: Profile, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    profile("by-name", kind="openai", api_key_env="SOME_API_KEY")
    with pytest.raises(SecretMissing, match="SOME_API_KEY"):
        resolve("by-name")
    monkeypatch.setenv("SOME_API_KEY", KEY)
    assert resolve("by-name").endpoint.key() == KEY
    assert KEY not in repr(resolve("by-name"))
    settings.LLM_SECRET_FOLDER = str(tmp_path)
    (tmp_path / "vendor").write_text(f"{KEY}\n")
    profile("by-file", kind="openai", secret_file="vendor")
    assert resolve("by-file").endpoint.key() == KEY


def test_a_profile_names_no_other_secret_of_the_process(settings: Any, tmp_path: Path) -> None:
    for name in ("PERDURE_SECRET_KEY", "DATABASE_URL", "SOME_API_KEY\n", "A-B_API_KEY"):
        with pytest.raises(InvalidProfile, match="LLM_SECRET_NAMES"):
            read_spec({"kind": "openai", "api_key_env": name})
    with pytest.raises(InvalidProfile, match="LLM_SECRET_FOLDER"):
        read_spec({"kind": "openai", "secret_file": "key"})
    settings.LLM_SECRET_FOLDER = str(tmp_path / "secrets")
    for name in ("../key", "/etc/passwd", "a/../../key", "a\0b"):
        with pytest.raises(InvalidProfile, match="inside the folder"):
            read_spec({"kind": "openai", "secret_file": name})


def test_a_link_that_leaves_the_folder_of_secrets_is_no_secret(profile: Profile, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "elsewhere").write_text(KEY)
    (tmp_path / "secrets/link").symlink_to(tmp_path / "elsewhere")
    settings.LLM_SECRET_FOLDER = str(tmp_path / "secrets")
    profile("linked", kind="openai", secret_file="link")
    with pytest.raises(SecretMissing):
        resolve("linked")


@pytest.mark.parametrize(
    "address",
    ["ftp://x", "file:///etc/passwd", "http://user:pass@x", "http://x?key=1", "http://x#m", "http://", "http://a b",
     "javascript:1", "//x", "http://x:0"],
)  # fmt: skip
def test_an_address_is_http_without_secrets(address: str) -> None:
    with pytest.raises(InvalidProfile, match="base_uri"):
        read_spec({"kind": "openai", "base_uri": address})


@pytest.mark.parametrize(
    "extra",
    [{"api_key": KEY}, {"headers": {"Authorization": KEY}}, {"body": [{"x": {"API-Key": KEY}}]}, {"Password": KEY},
     {"headers": {"X-Vendor-Token": KEY}}, {"headers": {"Ocp-Apim-Subscription-Key": KEY}}, {"clientSecret": KEY}],
)  # fmt: skip
def test_a_secret_is_refused_at_any_depth_and_not_repeated(extra: dict[str, Any]) -> None:
    with pytest.raises(SecretNotAccepted, match="api_key_env") as refused:
        read_spec({"kind": "openai", "extra": extra})
    assert KEY not in str(refused.value)


def test_fields_that_only_sound_like_secrets_are_taken() -> None:
    body = {"max_tokens": 5, "stop_token_ids": [1], "logprobs": True, "prompt_cache_key": "a"}
    read_spec({"kind": "openai", "api_key_env": "SOME_API_KEY", "extra": {"body": body, "headers": {"X-Team": "a"}}})


def test_a_scenario_is_read_from_its_folder_alone(profile: Profile, settings: Any, tmp_path: Path) -> None:
    for name in ("tale.yaml", "../tale.yaml", str(tmp_path / "tale.yaml")):
        with pytest.raises(InvalidProfile, match="LLM_SCENARIO_FOLDER"):
            read_spec({"kind": "scripted", "extra": {"scenario": name}})
    settings.LLM_SCENARIO_FOLDER = str(tmp_path)
    profile("tale", extra={"scenario": "tale.yaml"})
    with pytest.raises(InvalidProfile, match="no file"):
        resolve("tale")
    (tmp_path / "tale.yaml").write_text("rules: [{text: Once upon a time}]")
    assert resolve("tale").endpoint.extra == {"scenario": str(tmp_path / "tale.yaml")}


@pytest.mark.parametrize(
    "override",
    [{"base_uri": "http://evil.example"}, {"kind": "openai"}, {"api_key_env": "OTHER_API_KEY"}, {"extra": {}},
     {"limits": {"concurrency": 9}}, {"limits": 3}, {"api_key": "x"}],
)  # fmt: skip
def test_a_document_of_others_sends_no_secret_elsewhere(override: dict[str, Any]) -> None:
    refuse_risky_override({"default_model": "m", "limits": {"max_tokens": 5, "timeout_seconds": 3.0}})
    with pytest.raises((InvalidProfile, SecretNotAccepted)):
        refuse_risky_override(override)


def test_a_price_is_that_of_the_longest_pattern(settings: Any) -> None:
    settings.LLM_PRICES = {
        "gpt-*": {"input": 2.0, "output": 8.0, "cached": 0.5},
        "gpt-mini*": {"input": 1.0, "output": 1.0},
    }
    usage = Usage(input_tokens=1_000_000, output_tokens=500_000, cached_tokens=400_000)
    assert cost_of("gpt-5", usage) == pytest.approx(0.6 * 2 + 0.4 * 0.5 + 0.5 * 8)
    assert cost_of("gpt-mini-2", usage) == pytest.approx(1.5)
    assert cost_of("other", usage) is None


def ask(profile_id: str) -> Run:
    @job("ask")
    async def ask_(step: StepContext) -> str:
        await step.wait_for_signal("go")
        return (await chat(step, "answer", "Hello", profile=profile_id)).text

    run = jobs.start("ask", {}).run
    drain()
    return run


def test_a_run_under_way_meets_the_profile_as_it_is_when_it_calls(profile: Profile) -> None:
    profile("p", rules=[{"text": "before"}])
    run = ask("p")
    profile("p", rules=[{"text": "after"}])
    jobs.signal(run.id, "go")
    assert run_to_end(run).output == "after"


def test_a_profile_deleted_meanwhile_fails_its_run_with_the_remedy(profile: Profile) -> None:
    profile("p")
    run = ask("p")
    delete_profile("p", SYSTEM)
    jobs.signal(run.id, "go")
    run = run_to_end(run)
    step = run.steps.get(name="answer")
    assert (run.status, step.attempts, step.error["type"]) == ("failed", 1, "ProfileNotFound")
    assert "Create it" in step.error["message"]


def test_a_missing_secret_fails_at_once_and_says_which(profile: Profile) -> None:
    profile("p", kind="openai", api_key_env="ABSENT_API_KEY")
    run = ask("p")
    jobs.signal(run.id, "go")
    run_to_end(run)
    step = run.steps.get(name="answer")
    assert (step.attempts, step.error["type"]) == (1, "SecretMissing")
    assert "ABSENT_API_KEY" in step.error["message"]


def test_a_secret_that_an_error_repeats_is_masked(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", KEY)
    fail = {"code": "authentication_failed", "message": f"Incorrect API key provided: {KEY}."}
    profile("p", rules=[{"fail": fail}], api_key_env="SOME_API_KEY")
    run = ask("p")
    jobs.signal(run.id, "go")
    run = run_to_end(run)
    error = run.steps.get(name="answer").error
    assert error["message"].startswith("Incorrect API key provided: ***.")
    assert KEY not in str([run.error, error, *Event.objects.filter(run=run).values_list("data", flat=True)])


def test_a_call_that_waited_for_its_slot_meets_the_profile_as_it_is_then(profile: Profile) -> None:
    profile("p", rules=[{"text": "before"}], limits={"concurrency": 1})
    before = CallSlot.objects.create(
        profile_id="p", ticket=uuid7(), worker=frozen_worker().pk, run_id=uuid7(), step="x", asked_at=clock.now()
    )

    @job("waits")
    async def waits(step: StepContext) -> str:
        async def change() -> None:
            while await CallSlot.objects.acount() < 2:
                await asyncio.sleep(0.01)
            changed = {"scenario": {"rules": [{"text": "after"}]}}
            await ProviderProfile.objects.filter(pk="p").aupdate(extra=changed)
            await before.adelete()

        answer, _ = await asyncio.gather(chat(step, "call", "Hello", profile="p"), step.run("change", change))
        return answer.text

    assert run_to_end(jobs.start("waits", {}).run).output == "after"
