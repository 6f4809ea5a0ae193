"""System checks of the installation: values that are fine on one's own machine and unsafe in production."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

from perdure.environment import email_from_url

LOCAL = {"localhost", "127.0.0.1", "[::1]"}
SHORTEST_SECRET = 32


@register(Tags.security)
def check_secret_key(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= SHORTEST_SECRET:
        return []
    return [
        Error(
            f"PERDURE_SECRET_KEY is shorter than {SHORTEST_SECRET} characters, so sessions and tasks can be forged.",
            hint="Give a random value of 50 characters, or leave it out: one is made and kept in the data directory.",
            id="perdure.E001",
        )
    ]


@register()
def check_mail_server(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        email_from_url(settings.EMAIL_URL)
    except ValueError as exc:
        return [
            Error(
                f"No mail can be sent: {exc}.",
                hint="Write EMAIL_URL as in smtp://user:password@mail.example:587, or leave it out.",
                id="perdure.E004",
            )
        ]
    return []


@register(Tags.security)
def check_debug(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    public = sorted(set(settings.ALLOWED_HOSTS) - LOCAL)
    if not settings.DEBUG or not public:
        return []
    return [
        Error(
            f"PERDURE_DEBUG is on while {', '.join(public)} is served: error pages show source code and settings.",
            hint="Turn PERDURE_DEBUG off, or leave only local names in PERDURE_ALLOWED_HOSTS.",
            id="perdure.E002",
        )
    ]


@register(Tags.security)
def check_clock(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    public = sorted(set(settings.ALLOWED_HOSTS) - LOCAL)
    if not getattr(settings, "RUNS_CLOCK_FILE", "") or not public:
        return []
    return [
        Error(
            f"RUNS_CLOCK_FILE is set while {', '.join(public)} is served: its writer moves all timers.",
            hint="It is for tests alone: leave it out.",
            id="perdure.E005",
        )
    ]


@register(Tags.security)
def check_allowed_hosts(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        checks.Warning(
            "PERDURE_ALLOWED_HOSTS allows every name, so links and the origin of sockets can be forged by the caller.",
            hint="Name the hosts that are served, separated by commas.",
            id="perdure.W003",
        )
    ]
