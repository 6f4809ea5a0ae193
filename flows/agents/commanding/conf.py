"""The programs that the settings allow as agents: `settings.AGENTS_COMMANDS`, by name. Without it there are none."""

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flows.agents.commanding.errors import CommandMissing, CommandNotAllowed, CommandUnfit
from flows.llm.tools.local.commands import find_program, search_path

SECRETS: Final = ("*KEY*", "*TOKEN*", "*SECRET*", "*PASSWORD*", "*CREDENTIAL*")
"""Names of variables whose values are masked in what a program says."""

_SHORTEST_SECRET = 8


class Command(BaseModel):
    """A program: `argv` as it is started, how it talks, which variables of the worker's environment it is given beside
    PATH, HOME and LANG, and how many seconds one call of it may take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    argv: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1, max_length=100)]
    protocol: Literal["perdure", "claude-code"] = "perdure"
    env: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], ...] = ()
    seconds: Annotated[float, Field(gt=0, le=86_400)] = 3600

    def program(self) -> str:
        """Its absolute path. Raises CommandMissing."""
        found = find_program(self.argv[0])
        if found is None:
            raise CommandMissing(self.argv[0])
        return found

    def environment(self) -> dict[str, str]:
        """Nothing else of the worker's own: its secrets are there."""
        given = {name: os.environ[name] for name in self.env if name in os.environ}
        return {"LANG": "C.UTF-8", "PATH": search_path(), "HOME": str(Path.home())} | given

    def secrets(self) -> list[bytes]:
        """Values of its environment that nobody may read in a run, the longest first."""
        found = {
            value.encode(errors="surrogateescape")
            for name, value in self.environment().items()
            if len(value) >= _SHORTEST_SECRET and any(fnmatchcase(name.upper(), pattern) for pattern in SECRETS)
        }
        return sorted(found, key=len, reverse=True)


def find_command(name: str) -> Command:
    """Raises CommandNotAllowed, CommandUnfit."""
    given = settings_of_commands()
    if name not in given:
        raise CommandNotAllowed(name, sorted(given))
    try:
        return Command.model_validate(given[name])
    except ValidationError as exc:
        raise CommandUnfit(name, first_problem(exc)) from exc


def settings_of_commands() -> Mapping[str, Any]:
    """As the settings have them."""
    found: Mapping[str, Any] = getattr(settings, "AGENTS_COMMANDS", {})
    return found


def first_problem(error: ValidationError) -> str:
    """What is wrong, without the value: it may hold a secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
