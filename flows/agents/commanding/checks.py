"""System checks: what the settings allow as agents, and cannot be started or gives away too much."""

import os
from collections.abc import Iterator
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, register

from flows.agents.commanding.conf import Command, find_command, settings_of_commands
from flows.agents.commanding.errors import CommandMissing, CommandUnfit

_OURS = ("PERDURE_", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "AG_UI_AUTH_TOKENS")


@register()
def check_commands(**_: Any) -> list[CheckMessage]:
    """AGENTS_COMMANDS (agents.E020 to W023)."""
    return [message for name in settings_of_commands() for message in _problems(name)]


def _problems(name: str) -> Iterator[CheckMessage]:
    try:
        command = find_command(name)
    except CommandUnfit as exc:
        yield Error(
            str(exc),
            hint='Write it as in PERDURE_AGENT_COMMANDS={"coder": {"argv": ["my-agent"], "protocol": "perdure"}}.',
            id="agents.E020",
        )
        return
    try:
        command.program()
    except CommandMissing as exc:
        yield checks.Warning(
            f"Command {name!r} cannot be started. {exc}",
            hint="Install it where workers run, or give its absolute path in PERDURE_AGENT_COMMANDS.",
            id="agents.W021",
        )
    yield from _variables(name, command)


def _variables(name: str, command: Command) -> Iterator[CheckMessage]:
    if missing := [one for one in command.env if one not in os.environ]:
        yield checks.Warning(
            f"Command {name!r} is to be given {', '.join(missing)}, which this process does not have.",
            hint="Set it where workers run, or take it out of the command's `env` in PERDURE_AGENT_COMMANDS.",
            id="agents.W022",
        )
    if ours := [one for one in command.env if one.startswith(_OURS)]:
        yield checks.Warning(
            f"Command {name!r} is given {', '.join(ours)}: it could read and change every run.",
            hint="Take it out of the command's `env` in PERDURE_AGENT_COMMANDS.",
            id="agents.W023",
        )
