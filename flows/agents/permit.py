"""Who may have a run's agents and judges answered by a scenario: commands and code, never whoever can start a run.

It would let them write a reviewer's approval themselves. `starting.start` signs the scenario that it is given.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils.crypto import constant_time_compare, salted_hmac

from flows.agents.errors import ScenarioNotAllowed
from runs.models import Run

Entries = Sequence[Mapping[str, Any]]


def sign(entries: Entries | None) -> str:
    """Stands beside the scenario in the input of a run; empty without one."""
    digest = digest_of(entries)
    return "" if digest is None else _signature(digest)


def digest_of(entries: Entries | None) -> str | None:
    """The same after a database that writes numbers in its own way."""
    if entries is None:
        return None
    plain = json.loads(json.dumps([dict(entry) for entry in entries]), parse_int=float)
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def checked(run_id: UUID, entries: Entries | None, signature: str) -> str | None:
    """The digest of a scenario that is signed, or that a run's caller hands down. Raises ScenarioNotAllowed."""
    digest = digest_of(entries)
    if digest is None or constant_time_compare(signature, _signature(digest)):
        return digest
    if Run.objects.filter(id=run_id, parent__isnull=False).exists():
        return digest
    raise ScenarioNotAllowed


def _signature(digest: str) -> str:
    return salted_hmac("flows.agents.scenario", digest, algorithm="sha256").hexdigest()
