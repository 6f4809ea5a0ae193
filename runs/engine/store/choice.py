"""Which version of a job a new run gets that names none."""

import hashlib
import random

from runs.definitions import Job, registry
from runs.engine.store.start import StartOptions
from runs.errors import JobNotFound
from runs.models import Rollout, Run

_PARTS = 10_000


def choose(name: str, key: str | None = None) -> Job:
    """The job of the version registered last, or as the rollout says: the same for the same `key`, else at random.

    Raises JobNotFound.
    """
    default = registry.get(name)
    if len(registry.versions(name)) == 1:
        return default
    rollout = Rollout.objects.filter(job=name).first()
    if rollout is None:
        return default
    wanted = (rollout.version, rollout.base) if _is_in_share(rollout, key) else (rollout.base, rollout.version)
    return next((found for version in wanted if (found := _find(name, version)) is not None), default)


def choose_for(name: str, options: StartOptions) -> Job:
    """As for a run started so; one that its idempotency key has started already keeps its version."""
    if options.idempotency_key is not None and len(registry.versions(name)) > 1:
        owners = {"team": options.team} if options.team else {"team": None, "owner": options.owner}
        same = Run.objects.filter(**owners, job=name, idempotency_key=options.idempotency_key).first()
        if same is not None and (found := _find(name, same.job_version)) is not None:
            return found
    return choose(name, options.concurrency_key or options.idempotency_key)


def _find(name: str, version: str) -> Job | None:
    """None where this process lacks that version: another one may still be deploying it."""
    try:
        return registry.get(name, version)
    except JobNotFound:
        return None


def _is_in_share(rollout: Rollout, key: str | None) -> bool:
    """A larger share holds all of a smaller one."""
    return _part(rollout, key) < rollout.percent * _PARTS // 100


def _part(rollout: Rollout, key: str | None) -> int:
    if key is None:
        return random.randrange(_PARTS)
    text = "\0".join((rollout.job, rollout.version, key))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") % _PARTS
