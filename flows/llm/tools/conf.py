"""Typed settings of tools: `settings.LLM_TOOL_<NAME>` in Django's settings."""

from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings


@dataclass(frozen=True, kw_only=True)
class ToolSettings:
    """Each field is read from `settings.LLM_TOOL_<NAME IN CAPITALS>`. What the first three name is allowed; else none.

    `commands`: programs, or programs with their first arguments (`git log`). `hosts`: `name`, `name:port`, `*.name`.
    """

    commands: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    allow_private: bool = False
    seconds: float = 60.0
    result_chars: int = 50_000


def get_settings() -> ToolSettings:
    """The settings in force."""
    found: dict[str, Any] = {
        field.name: getattr(settings, f"LLM_TOOL_{field.name.upper()}")
        for field in fields(ToolSettings)
        if hasattr(settings, f"LLM_TOOL_{field.name.upper()}")
    }
    for name in ("commands", "folders", "hosts"):
        found[name] = tuple(found.get(name, ()))
    return ToolSettings(**found)
