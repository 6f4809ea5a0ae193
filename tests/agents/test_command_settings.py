"""System checks name what is allowed as an agent and cannot be started, or had better not be given so much."""

from typing import Any

import pytest
from pydantic import ValidationError

from flows.agents.commanding.checks import check_commands
from perdure.environment import Environment


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ({"argv": ["echo", "-n"]}, []), ({"argv": []}, ["agents.E020"]), ("echo", ["agents.E020"]),
        ({"argv": ["echo"], "protocol": "other"}, ["agents.E020"]), ({"argv": ["echo"], "sekonds": 1}, ["agents.E020"]),
        ({"argv": ["echo"], "seconds": 0}, ["agents.E020"]), ({"argv": ["echo"], "env": ["A=B"]}, ["agents.E020"]),
        ({"argv": ["no-such-program"]}, ["agents.W021"]), ({"argv": ["./echo"]}, ["agents.W021"]),
        ({"argv": ["echo"], "env": ["NOT_THERE"]}, ["agents.W022"]), ({"argv": ["echo"], "env": ["PATH"]}, []),
        ({"argv": ["echo"], "env": ["DATABASE_URL"]}, ["agents.W023"]),
        ({"argv": ["echo"], "env": ["PERDURE_SECRET_KEY"]}, ["agents.W023"]),
    ],
)  # fmt: skip
def test_each_command_is_looked_at(
    settings: Any, monkeypatch: pytest.MonkeyPatch, command: Any, found: list[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "x")
    monkeypatch.setenv("PERDURE_SECRET_KEY", "x")
    settings.AGENTS_COMMANDS = {"coder": command}
    messages = check_commands()
    assert [message.id for message in messages] == found
    assert all(message.hint for message in messages)


def test_a_value_that_does_not_fit_is_not_shown(settings: Any) -> None:
    settings.AGENTS_COMMANDS = {"coder": {"argv": ["echo"], "env": {"API_KEY": "sk-secret"}}}
    (message,) = check_commands()
    assert "sk-secret" not in message.msg


def test_the_environment_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Environment().agent_commands == {}
    monkeypatch.setenv("PERDURE_AGENT_COMMANDS", '{"coder": {"argv": ["claude"]}}')
    assert Environment().agent_commands == {"coder": {"argv": ["claude"]}}
    monkeypatch.setenv("PERDURE_AGENT_COMMANDS", "[]")
    with pytest.raises(ValidationError, match="agent_commands"):
        Environment()
