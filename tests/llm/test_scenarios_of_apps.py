"""Apps bring scenarios along: the scripted provider answers by them where a profile has none of its own."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows.llm import checks, scenarios
from flows.llm.profiles import resolve
from tests.llm.conftest import Profile


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of the only installed app."""
    apps = SimpleNamespace(get_app_configs=lambda: [SimpleNamespace(path=str(tmp_path))])
    monkeypatch.setattr(scenarios, "apps", apps)
    monkeypatch.setattr(scenarios, "of_apps", scenarios.of_apps.__wrapped__)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "b.yaml").write_text("rules: [{match: b, json: {x: 1}}]")
    (tmp_path / "scenarios" / "a.yaml").write_text("rules: [{match: a, text: A}]")
    return tmp_path / "scenarios"


def extra(profile: Profile, **fields: Any) -> dict[str, Any]:
    profile("own", **fields)
    return resolve("own").endpoint.extra


def test_their_rules_are_joined_in_the_order_of_the_files(folder: Path, profile: Profile) -> None:
    assert extra(profile)["scenario"] == {"rules": [{"match": "a", "text": "A"}, {"match": "b", "json": {"x": 1}}]}


def test_a_scenario_of_the_profile_and_a_vendor_take_their_place(folder: Path, profile: Profile) -> None:
    assert extra(profile, rules=[{"text": "Mine."}])["scenario"] == {"rules": [{"text": "Mine."}]}
    assert extra(profile, extra={}, base_uri="http://localhost:1/v1") == {}
    assert extra(profile, kind="openai") == {}


def test_a_file_that_is_no_scenario_is_left_out_and_told_by_the_system_checks(folder: Path, profile: Profile) -> None:
    assert checks.check_scenarios() == []
    (folder / "a.yaml").write_text("rules: [{match: '('}]")
    assert [rule["match"] for rule in extra(profile)["scenario"]["rules"]] == ["b"]
    [error] = checks.check_scenarios()
    assert (error.id, "a.yaml" in error.msg, "regular expression" in error.msg) == ("llm.E005", True, True)
