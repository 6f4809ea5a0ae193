"""Typed settings of model calls: `settings.LLM_<NAME>` in Django's settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from django.conf import settings


@dataclass(frozen=True, kw_only=True)
class LlmSettings:
    """Each field is read from `settings.LLM_<NAME IN CAPITALS>`. Durations in seconds.

    `provider_url` takes the place of the default profile's address: `http://localhost:11434/v1#model`.
    `secret_names` are patterns of the environment variables that a profile may name, and `secret_folder` the only
    folder of its secret files: without such a fence a profile could send any secret of the process to any host.
    `prices` is `{pattern of model names: {"input", "output", "cached"}}` for a million tokens each.
    """

    provider_url: str = ""
    provider_key_env: str = ""
    secret_names: tuple[str, ...] = ("*_API_KEY",)
    secret_folder: str = ""
    scenario_folder: str = ""
    prices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    checkpoint_characters: int = 2_000
    checkpoint_seconds: float = 5.0
    frame_seconds: float = 0.03
    slot_look_seconds: float = 0.1


def get_settings() -> LlmSettings:
    """The settings in force."""
    found = {
        field.name: getattr(settings, f"LLM_{field.name.upper()}")
        for field in fields(LlmSettings)
        if hasattr(settings, f"LLM_{field.name.upper()}")
    }
    return LlmSettings(**found)
