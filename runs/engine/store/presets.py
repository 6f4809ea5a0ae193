"""Writing the rows of presets, and starting runs of them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from runs import clock
from runs.definitions import registry
from runs.engine.payload import encode
from runs.engine.store import choice
from runs.engine.store.kept import KeptSecrets
from runs.engine.store.rows import SYSTEM, Actor, write_audit
from runs.engine.store.start import Started, StartOptions, check_labels, check_text, start
from runs.errors import NameTaken, PresetNotFound
from runs.models import Preset


def create_preset(
    name: str, job: str, input: Any = None, *, labels: dict[str, str] | None = None, owner: Any = None,
    team: Any = None, actor: Actor = SYSTEM,
) -> Preset:  # fmt: skip
    """Keep a job's input and labels under a name.

    Raises InvalidOption, JobNotFound, InvalidInput, StorageError, NameTaken.
    """
    preset = Preset(name=name, labels=labels or {}, owner=owner, team=team, created_at=clock.now())
    _take_work(preset, job, input)
    return _saved(preset, actor, "preset.create")


def change_preset(preset_id: UUID | str, changes: Mapping[str, Any], *, actor: Actor = SYSTEM) -> Preset:
    """Change name, job, input, labels or team. Raises PresetNotFound, and what `create_preset` raises."""
    with transaction.atomic():
        preset = _lock(preset_id)
        for name in {"name", "labels", "team"} & set(changes):
            setattr(preset, name, changes[name])
        if {"job", "input"} & set(changes):
            kept = None if "input" in changes else KeptSecrets.of(preset)
            _take_work(preset, changes.get("job", preset.job), changes.get("input", preset.input), kept)
        return _saved(preset, actor, "preset.change")


def delete_preset(preset_id: UUID | str, *, actor: Actor = SYSTEM) -> None:
    """Remove it; its runs stay. Raises PresetNotFound."""
    with transaction.atomic():
        preset = _lock(preset_id)
        write_audit(actor, "preset.delete", preset, {"name": preset.name, "job": preset.job})
        preset.delete()


def start_preset(
    preset_id: UUID | str, *, owner: Any = None, idempotency_key: str | None = None, actor: Actor = SYSTEM
) -> Started:
    """A run of `owner`, in the preset's team where the owner is in it. Raises PresetNotFound, and as `start`."""
    preset = _get(preset_id)
    team = preset.team
    if owner is not None and team is not None and not owner.is_superuser:
        team = team if owner.groups.filter(pk=team.pk).exists() else None
    options = StartOptions(owner=owner, team=team, labels=preset.labels, idempotency_key=idempotency_key)
    return start(choice.choose_for(preset.job, options), preset.input, options, actor)


def _get(preset_id: UUID | str) -> Preset:
    return _found(Preset.objects.select_related("owner", "team").filter(id=_as_uuid(preset_id)).first(), preset_id)


def _lock(preset_id: UUID | str) -> Preset:
    """The preset, held until the transaction ends. Raises PresetNotFound."""
    rows = Preset.objects.select_for_update(no_key=True, of=("self",))
    return _found(rows.filter(id=_as_uuid(preset_id)).first(), preset_id)


def _found(preset: Preset | None, preset_id: UUID | str) -> Preset:
    if preset is None:
        raise PresetNotFound(preset_id)
    return preset


def _take_work(preset: Preset, job: str, input: Any, kept: KeptSecrets | None = None) -> None:
    definition = registry.get(job)
    payload = encode(definition.parse_input(input), f"The input of job {job!r}")
    if kept is not None:
        kept.check(job, payload)
    preset.job, preset.input, preset.secrets = job, payload.value, payload.secrets


def _saved(preset: Preset, actor: Actor, action: str) -> Preset:
    check_text("name", preset.name)
    check_labels(preset.labels)
    preset.changed_at = clock.now()
    try:
        with transaction.atomic():
            preset.save()
            write_audit(actor, action, preset, {"name": preset.name, "job": preset.job})
    except IntegrityError as exc:
        raise NameTaken("preset", preset.name) from exc
    return preset


def _as_uuid(preset_id: UUID | str) -> UUID:
    try:
        return preset_id if isinstance(preset_id, UUID) else UUID(preset_id)
    except (ValueError, AttributeError, TypeError) as exc:
        raise PresetNotFound(preset_id) from exc
