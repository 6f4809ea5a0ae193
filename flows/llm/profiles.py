"""Profiles as calls use them, and the only writer of their rows."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from pydantic import BaseModel, ConfigDict

from flows.llm import scenarios
from flows.llm.address import read_address
from flows.llm.conf import get_settings
from flows.llm.errors import InvalidProfile, ProfileExists, ProfileNeeded, ProfileNotFound
from flows.llm.models import Kind, ProviderProfile
from flows.llm.secrets import inside, read_secret
from flows.llm.spec import Limits, ProfileSpec, read_spec
from providers.endpoint import Endpoint
from runs import clock
from runs.jobs import Actor, audit

DEFAULT = "default"
_FIELDS = tuple(ProfileSpec.model_fields)
_HARMLESS = {"default_model": None, "limits": {"timeout_seconds", "max_tokens"}}


class ResolvedProfile(BaseModel):
    """Where a call goes and within which limits. Never recorded: its endpoint holds the secret."""

    model_config = ConfigDict(frozen=True)

    id: str
    endpoint: Endpoint
    limits: Limits

    @property
    def model(self) -> str:
        """Of calls that name none, as prices and usage name it."""
        return self.endpoint.default_model or self.endpoint.wire


def resolve(profile_id: str, override: Mapping[str, Any] | None = None) -> ResolvedProfile:
    """What holds for a call: of `override`, else of the profile, else the defaults.

    Of `limits` and `extra` an override replaces the fields that it names. Asks the database. Raises ProfileNotFound,
    InvalidProfile, SecretNotAccepted, SecretMissing.
    """
    spec = find_spec(profile_id)
    if override:
        spec = _overridden(spec, override)
    endpoint = Endpoint(
        kind=spec.kind.value, base_url=spec.base_uri, api_key=read_secret(profile_id, spec),
        default_model=spec.default_model, timeout_seconds=spec.limits.timeout_seconds, extra=_extra(spec),
    )  # fmt: skip
    return ResolvedProfile(id=profile_id, endpoint=endpoint, limits=spec.limits)


def find_spec(profile_id: str) -> ProfileSpec:
    """A profile as it is now, `default` with what the environment says of it. Raises ProfileNotFound, InvalidProfile.

    `default` is there always: where nobody has said anything of it, it is the scripted provider.
    """
    row = ProviderProfile.objects.filter(pk=profile_id).first()
    told = environment_spec() if profile_id == DEFAULT else {}
    if row is None and profile_id != DEFAULT:
        raise ProfileNotFound(profile_id)
    stored = spec_values(row) if row is not None else {"kind": Kind.SCRIPTED}
    return read_spec(stored | told)


def spec_values(row: ProviderProfile) -> dict[str, Any]:
    """The fields of a row that are its spec."""
    return {name: getattr(row, name) for name in _FIELDS}


def environment_spec() -> dict[str, Any]:
    """What PERDURE_PROVIDER_URL and PERDURE_PROVIDER_KEY_ENV say of the default profile."""
    settings = get_settings()
    if not settings.provider_url:
        return {}
    kind, base_uri, model = read_address(settings.provider_url)
    told = {
        "kind": kind,
        "base_uri": base_uri,
        "api_key_env": settings.provider_key_env,
        "secret_file": "",
        "extra": {},
    }
    return told | ({"default_model": model} if model else {})


def refuse_risky_override(override: Mapping[str, Any]) -> None:
    """For documents of people who may not change profiles: another model and tighter limits, and nothing that sends a
    secret elsewhere. Raises InvalidProfile."""
    for name, value in override.items():
        if name not in _HARMLESS:
            raise InvalidProfile.of(name, "may be changed in the profile only, by an administrator")
        allowed = _HARMLESS[name]
        if allowed is not None and (not isinstance(value, Mapping) or set(value) - allowed):
            raise InvalidProfile.of(name, f"may hold {' and '.join(sorted(allowed))} here")
    read_spec({"kind": "scripted", **override})


def create_profile(profile_id: str, spec: ProfileSpec, actor: Actor) -> ProviderProfile:
    """Raises ProfileExists."""
    with transaction.atomic():
        values = spec.model_dump(mode="json")
        row, made = ProviderProfile.objects.get_or_create(pk=profile_id, defaults=values | {"updated_at": clock.now()})
        if not made:
            raise ProfileExists(profile_id)
        audit(actor, "provider.create", profile_id, values)
    return row


def change_profile(profile_id: str, spec: ProfileSpec, actor: Actor) -> ProviderProfile:
    """All of the profile anew. Calls under way end as they began; the next attempt of any uses it. Raises
    ProfileNotFound."""
    with transaction.atomic():
        row = ProviderProfile.objects.select_for_update().filter(pk=profile_id).first()
        if row is None:
            raise ProfileNotFound(profile_id)
        values = spec.model_dump(mode="json")
        for name, value in values.items():
            setattr(row, name, value)
        row.updated_at = clock.now()
        row.save()
        audit(actor, "provider.change", profile_id, values)
    return row


def delete_profile(profile_id: str, actor: Actor) -> None:
    """Calls under way end as they began; later ones of runs that name it fail with ProfileNotFound.

    Raises ProfileNotFound, ProfileNeeded.
    """
    if profile_id == DEFAULT:
        raise ProfileNeeded(profile_id)
    with transaction.atomic():
        count, _ = ProviderProfile.objects.filter(pk=profile_id).delete()
        if not count:
            raise ProfileNotFound(profile_id)
        audit(actor, "provider.delete", profile_id)


def _overridden(spec: ProfileSpec, override: Mapping[str, Any]) -> ProfileSpec:
    values = spec.model_dump(mode="json")
    for name, value in override.items():
        merged = name in ("limits", "extra") and isinstance(value, Mapping)
        values[name] = {**values[name], **value} if merged else value
    if values["limits"].get("concurrency") != spec.limits.concurrency:
        raise InvalidProfile.of("limits.concurrency", "belongs to all calls of the profile; change it there")
    return read_spec(values)


def _extra(spec: ProfileSpec) -> dict[str, Any]:
    """With the whole path of a scenario's file, or with the scenarios of the apps where the profile has none."""
    name = spec.extra.get("scenario")
    if name is None and spec.kind == Kind.SCRIPTED and not spec.base_uri:
        return spec.extra | {"scenario": scenarios.of_apps()}
    if not isinstance(name, str):
        return spec.extra
    path = inside(get_settings().scenario_folder, name)
    if path is None:
        raise InvalidProfile.of("extra.scenario", f"names {name!r}, which is no file in the folder of scenarios")
    return spec.extra | {"scenario": str(path)}
