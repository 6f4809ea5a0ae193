"""System checks: profiles whose secret is missing or whose values do not fit, and prices that are none."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, DatabaseError, transaction

from flows.llm import scenarios
from flows.llm.conf import get_settings
from flows.llm.errors import SecretMissing
from flows.llm.models import ProviderProfile
from flows.llm.profiles import DEFAULT, environment_spec, find_spec
from flows.llm.secrets import read_secret
from flows.llm.spec import read_spec
from providers.errors import BadRequest
from providers.scripted.scenario import load
from runs.errors import RunsError

PRICES = {"input", "output", "cached"}


@register()
def check_provider_url(**_: Any) -> list[CheckMessage]:
    """PERDURE_PROVIDER_URL and PERDURE_PROVIDER_KEY_ENV (llm.E001, W002)."""
    told = environment_spec()
    if not told:
        return []
    try:
        read_secret(DEFAULT, read_spec({"limits": {}, **told}))
    except SecretMissing as exc:
        return [_missing_secret(DEFAULT, exc)]
    except RunsError as exc:
        return [
            Error(
                f"PERDURE_PROVIDER_URL or PERDURE_PROVIDER_KEY_ENV does not fit. {exc}",
                hint="Write the address as in http://localhost:11434/v1#model-name, and a name such as OPENAI_API_KEY.",
                id="llm.E001",
            )
        ]
    return []


@register()
def check_prices(**_: Any) -> list[CheckMessage]:
    """LLM_PRICES (llm.E003)."""
    prices: Any = get_settings().prices
    wrong = [name for name, price in prices.items() if not _is_price(price)]
    return [
        Error(
            f"The price of {name!r} is {prices[name]!r}, so no cost can be counted.",
            hint='Write what a million tokens cost, as in {"gpt-*": {"input": 2.5, "output": 10, "cached": 1.25}}.',
            id="llm.E003",
        )
        for name in wrong
    ]


@register()
def check_scenarios(**_: Any) -> list[CheckMessage]:
    """The scenarios of the installed apps (llm.E005)."""
    found: list[CheckMessage] = []
    for path in scenarios.files():
        try:
            load(str(path))
        except BadRequest as exc:
            hint = "Correct the file: docs/howto/providers.md shows what a rule may say."
            found.append(Error(exc.problem, hint=hint, id="llm.E005"))
    return found


@register(Tags.database)
def check_profiles(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """What the stored profiles say (llm.W002, W004); with `manage.py check --database default`."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    try:
        with transaction.atomic():
            return [message for row in ProviderProfile.objects.all() for message in _problems(row.pk)]
    except DatabaseError:
        return []  # the table is not there yet


def trouble_of(profile_id: str) -> str:
    """Why calls of the profile fail, as far as this process can tell; empty if it finds nothing."""
    try:
        read_secret(profile_id, find_spec(profile_id))
    except RunsError as exc:
        return str(exc)
    return ""


def _problems(profile_id: str) -> Iterator[CheckMessage]:
    try:
        read_secret(profile_id, find_spec(profile_id))
    except SecretMissing as exc:
        yield _missing_secret(profile_id, exc)
    except RunsError as exc:
        yield checks.Warning(
            f"Calls of provider profile {profile_id!r} fail. {exc}",
            hint="Change the profile at /admin/llm/providerprofile/ or /api/providers/.",
            id="llm.W004",
        )


def _missing_secret(profile_id: str, exc: SecretMissing) -> CheckMessage:
    return checks.Warning(
        f"Calls of provider profile {profile_id!r} fail where this is so. {exc}",
        hint="Set it for the workers and start them again.",
        id="llm.W002",
    )


def _is_price(price: Any) -> bool:
    return (
        isinstance(price, Mapping)
        and {"input", "output"} <= set(price) <= PRICES
        and all(isinstance(amount, int | float) and amount >= 0 for amount in price.values())
    )
