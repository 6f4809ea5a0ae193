"""System checks of AG-UI's settings: each names the variable and says what to do."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.models import User
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ValidationError

from perdure.agui.conf import get_settings
from perdure.agui.tokens import parse_token
from runs.errors import JobNotFound
from runs.jobs import get_job

SHORTEST_TOKEN = 16
LOCAL = {"localhost", "127.0.0.1", "[::1]"}


@register(Tags.security)
def check_token_lengths(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    short = sum(len(token) < SHORTEST_TOKEN for _, token in map(parse_token, get_settings().auth_tokens))
    if not short:
        return []
    # On one's own machine a short token is a convenience; where others come in it is an open door.
    public = bool(set(settings.ALLOWED_HOSTS) - LOCAL)
    message, number = (Error, "agui.E001") if public else (checks.Warning, "agui.W001")
    return [
        message(
            f"{short} of AG_UI_AUTH_TOKENS shorter than {SHORTEST_TOKEN} characters, so guessing finds it.",
            hint='Make tokens with: python -c "import secrets; print(secrets.token_urlsafe(32))"',
            id=number,
        )
    ]


@register(Tags.security)
def check_token_users(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    entries = [parse_token(entry) for entry in get_settings().auth_tokens]
    found: list[CheckMessage] = []
    if unfit := sorted({name for name, _ in entries if not _may_be_a_name(name)}):
        said = f"AG_UI_AUTH_TOKENS names users that cannot be: {', '.join(unfit)}."
        hint = "Write user=token; names have letters, digits and @ . + - _ only, 150 at most."
        found.append(Error(said, hint=hint, id="agui.E002"))
    if any(count > 1 for count in Counter(token for _, token in set(entries)).values()):
        said = "AG_UI_AUTH_TOKENS gives one token to several users, so it cannot say who calls."
        found.append(Error(said, hint="Give each user a token of its own.", id="agui.E003"))
    return found


@register()
def check_default_job(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    name = get_settings().default_job
    if not name:
        return []
    try:
        fits = get_job(name).agui
    except JobNotFound:
        # Without the examples there is no chat-agent, and nobody asked for it.
        if not hasattr(settings, "AG_UI_DEFAULT_JOB"):
            return []
        fits = False
    if fits:
        return []
    return [
        checks.Warning(
            f"AG_UI_DEFAULT_JOB is {name!r}, which is no job that AG-UI frontends may talk to.",
            hint="Name a job made with @job(..., agui=True), or leave it out.",
            id="agui.W002",
        )
    ]


@register()
def check_storage(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    environment = settings.ENVIRONMENT
    if environment.storage_type != "Scalable":
        return []
    missing = []
    if environment.on_sqlite:
        missing.append("DATABASE_URL=postgres://user@host:port/name")
    if not environment.redis_url:
        missing.append("REDIS_URL=redis://host:port")
    if not missing:
        return []
    return [
        Error(
            "STORAGE_TYPE is Scalable, but servers on several machines would not share what they keep.",
            hint=f"Set {' and '.join(missing)}, or STORAGE_TYPE=Standalone for one machine.",
            id="agui.E004",
        )
    ]


def _may_be_a_name(name: str) -> bool:
    field = User._meta.get_field("username")
    try:
        field.run_validators(name)
    except ValidationError:
        return False
    return bool(name)
