"""Profiles and prices that could not work are found before anything starts, each with its remedy."""

from typing import Any

import pytest
from django.core.checks import CheckMessage

from flows.llm.checks import check_prices, check_profiles, check_provider_url
from tests.llm.conftest import Profile


def _ids(found: list[CheckMessage]) -> list[str]:
    assert all(message.hint for message in found), "every message ends with a remedy"
    return [str(message.id) for message in found]


@pytest.mark.parametrize(
    ("url", "name", "expected"),
    [
        ("", "", []), ("http://localhost:11434/v1#m", "", []), ("http://x#m", "SET_API_KEY", []),
        ("http://x#m", "ABSENT_API_KEY", ["llm.W002"]), ("http://x#m", "HOME", ["llm.E001"]),
        ("localhost:11434", "", ["llm.E001"]), ("gpt+http://x", "", ["llm.E001"]),
        ("http://user:pass@x", "", ["llm.E001"]),
    ],
)  # fmt: skip
def test_the_one_setting_is_checked(
    settings: Any, monkeypatch: pytest.MonkeyPatch, url: str, name: str, expected: list[str]
) -> None:
    monkeypatch.setenv("SET_API_KEY", "x")
    settings.LLM_PROVIDER_URL, settings.LLM_PROVIDER_KEY_ENV = url, name
    assert _ids(check_provider_url()) == expected


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ({"input": 1, "output": 2}, []), ({"input": 1, "output": 2, "cached": 0.1}, []), ({"input": 1}, ["llm.E003"]),
        ({"input": -1, "output": 2}, ["llm.E003"]), ({"input": 1, "output": 2, "x": 1}, ["llm.E003"]),
        (3, ["llm.E003"]),
    ],
)  # fmt: skip
def test_prices_are_checked(settings: Any, price: Any, expected: list[str]) -> None:
    settings.LLM_PRICES = {"gpt-*": price}
    assert _ids(check_prices()) == expected


def test_profiles_are_checked_where_the_database_is(profile: Profile, settings: Any) -> None:
    profile("fine")
    profile("absent", kind="openai", api_key_env="ABSENT_API_KEY")
    profile("refused", kind="openai", api_key_env="HOME")
    assert _ids(check_profiles()) == []
    assert sorted(_ids(check_profiles(databases=["default"]))) == ["llm.W002", "llm.W004"]
