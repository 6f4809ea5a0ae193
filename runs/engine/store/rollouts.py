"""The rows of rollouts. They say what new runs get; a run that was started keeps its version."""

from django.db import transaction

from runs import clock
from runs.definitions import registry
from runs.engine.store.rows import SYSTEM, Actor, write_audit
from runs.errors import InvalidOption, RolloutNotFound
from runs.models import Rollout


def get_rollout(job: str) -> Rollout:
    """Raises RolloutNotFound."""
    found = None if "\0" in job else Rollout.objects.filter(job=job).first()  # PostgreSQL takes no NUL
    if found is None:
        raise RolloutNotFound(job)
    return found


def set_rollout(job: str, version: str, percent: int, *, base: str | None = None, actor: Actor = SYSTEM) -> Rollout:
    """Give `percent` of the job's new runs that name no version `version`, and the others `base`.

    Without `base` the others go on getting what the rollout says, else the version registered last beside `version`.
    Raises JobNotFound, InvalidOption.
    """
    check_rollout(job, version, percent, base)
    with transaction.atomic():
        found = Rollout.objects.select_for_update().filter(job=job).first()
        other = base or _base_beside(job, version, found)
        rollout = found or Rollout(job=job, created_at=clock.now())
        rollout.version, rollout.base, rollout.percent, rollout.changed_at = version, other, percent, clock.now()
        rollout.save()
        write_audit(actor, "rollout.set", job, {"version": version, "base": other, "percent": percent})
    return rollout


def end_rollout(job: str, *, actor: Actor = SYSTEM) -> None:
    """New runs get the version registered last again. Raises RolloutNotFound."""
    with transaction.atomic():
        rollout = get_rollout(job)
        data = {"version": rollout.version, "base": rollout.base, "percent": rollout.percent}
        write_audit(actor, "rollout.end", job, data)
        rollout.delete()


def check_rollout(job: str, version: str, percent: int, base: str | None = None) -> None:
    """Refuse what could not be started. Raises JobNotFound, InvalidOption."""
    for wanted in (version, base):
        if wanted is not None:
            registry.get(job, wanted)
    if version == base:
        raise InvalidOption("base", "is the version that is rolled out", "Name the one that the others get.")
    if not 0 <= percent <= 100:
        raise InvalidOption("percent", "is not between 0 and 100", "Use a whole number such as 5.")
    if len(registry.versions(job)) == 1:
        raise InvalidOption("version", "is the job's only one", "Register the other version beside it.")


def _base_beside(job: str, version: str, before: Rollout | None) -> str:
    others = [one.version for one in registry.versions(job) if one.version != version]
    if before is None:
        return others[-1]
    kept = [one for one in (before.base, before.version) if one in others]
    return kept[0] if kept else others[-1]
