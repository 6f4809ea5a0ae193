"""The settings of AG-UI in force: `settings.AG_UI_<NAME>` in Django's settings."""

from dataclasses import fields
from typing import Any

from django.conf import settings

from perdure.environment import AguiSettings

__all__ = ["AguiSettings", "get_settings"]


def get_settings() -> AguiSettings:
    """The settings in force."""
    found: dict[str, Any] = {
        field.name: getattr(settings, f"AG_UI_{field.name.upper()}")
        for field in fields(AguiSettings)
        if hasattr(settings, f"AG_UI_{field.name.upper()}")
    }
    return AguiSettings(**found)
