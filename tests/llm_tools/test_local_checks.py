"""System checks name what tools are allowed and cannot reach, or had better not."""

from pathlib import Path
from typing import Any

import pytest

from flows.llm.tools.checks import check_tools
from perdure.environment import Environment


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("COMMANDS", "echo -n", []), ("COMMANDS", "'", ["llm.E020"]), ("COMMANDS", " ", ["llm.E020"]),
        ("COMMANDS", "no-such-program", ["llm.W021"]), ("COMMANDS", "./echo", ["llm.W021"]),
        ("FOLDERS", "/usr", []), ("FOLDERS", "relative", ["llm.E022"]), ("FOLDERS", "/no/such/folder", ["llm.E022"]),
        ("FOLDERS", "/", ["llm.W023"]), ("FOLDERS", "{data}", ["llm.W023"]), ("FOLDERS", "{data}/in", ["llm.W023"]),
        ("HOSTS", "*.example.org:8080", []), ("HOSTS", "https://example.org", ["llm.E024"]),
    ],
)  # fmt: skip
def test_each_setting_is_looked_at(settings: Any, tmp_path: Path, name: str, value: str, found: list[str]) -> None:
    settings.LLM_TOOL_COMMANDS = settings.LLM_TOOL_FOLDERS = settings.LLM_TOOL_HOSTS = ()
    settings.DATA_DIR = tmp_path
    (tmp_path / "in").mkdir()
    setattr(settings, f"LLM_TOOL_{name}", [value.replace("{data}", str(tmp_path))])
    messages = check_tools()
    assert [message.id for message in messages] == found
    assert all(message.hint for message in messages)


def test_the_environment_names_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERDURE_LLM_TOOL_COMMANDS", "git log --, ls")
    monkeypatch.setenv("PERDURE_LLM_TOOL_FOLDERS", "/srv")
    found = Environment()
    assert (found.llm_tool_commands, found.llm_tool_folders, found.llm_tool_hosts) == (
        ["git log --", "ls"],
        ["/srv"],
        [],
    )
