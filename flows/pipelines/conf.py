"""Typed settings of pipelines: `settings.PIPELINES_<NAME>` in Django's settings."""

from dataclasses import dataclass, fields

from django.conf import settings


@dataclass(frozen=True, kw_only=True)
class PipelinesSettings:
    """Each field is read from `settings.PIPELINES_<NAME IN CAPITALS>`."""

    sync_seconds: float = 60.0
    """So long a request in the mode `sync` waits for the end of its job."""


def get_settings() -> PipelinesSettings:
    """The settings in force."""
    found = {
        field.name: getattr(settings, f"PIPELINES_{field.name.upper()}")
        for field in fields(PipelinesSettings)
        if hasattr(settings, f"PIPELINES_{field.name.upper()}")
    }
    return PipelinesSettings(**found)
