"""A filter in words, each part with the address of the list without it."""

from dataclasses import dataclass
from typing import Any

from perdure.dashboard.run_list.filters import RunFilter


@dataclass(frozen=True)
class ActiveFilter:
    """What is asked for, as said on the page, and the query string that asks for everything else."""

    says: str
    value: str
    without: str


def spans(wanted: RunFilter) -> list[tuple[str, str]]:
    """Shorter times to look at, with the query strings that ask for them."""
    times = [("1h", "The last hour"), ("24h", "The last day"), ("7d", "The last 7 days")]
    return [(says, wanted.query(since=since, until="")) for since, says in times]


def active_filters(wanted: RunFilter, cause: str = "") -> list[ActiveFilter]:
    """All but the status, which has its chips. `cause` is what the fingerprint stands for, in words."""
    single: list[tuple[str, str, str]] = [
        ("job", "Job", wanted.job),
        ("owner", "Started by", wanted.owner),
        ("team", "Team", wanted.team),
        ("since", "Since", wanted.since),
        ("until", "Until", wanted.until),
        ("text", "Text", wanted.text),
        ("fingerprint", "Error like", cause or wanted.fingerprint),
    ]
    found = [_one(wanted, says, value, **{field: ""}) for field, says, value in single if value]
    for label in wanted.labels:
        found.append(_one(wanted, "Label", label, labels=tuple(one for one in wanted.labels if one != label)))
    return found


def _one(wanted: RunFilter, says: str, value: str, **changes: Any) -> ActiveFilter:
    return ActiveFilter(says, value, wanted.query(**changes))
