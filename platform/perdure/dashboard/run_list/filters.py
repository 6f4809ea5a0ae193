"""The filters of the list of runs. The address says them all, so a filtered list can be kept, sent and opened again."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTransform
from django.http import QueryDict

from perdure.dashboard.run_list.columns import COLUMNS, DEFAULT, chosen
from perdure.dashboard.run_list.moments import read_moment
from perdure.dashboard.run_list.texts import holds_text
from runs.models import Run, RunStatus

LONGEST_TEXT = 200
MAX_LABELS = 10
SORTS = {
    "": "Newest first", "oldest": "Oldest first", "longest": "Longest first", "tokens": "Most tokens first",
    "cost": "Highest cost first",
}  # fmt: skip
RANKED_BY = {"longest": "took", "tokens": "tokens", "cost": "cost"}
"""Orders by a figure, and its column."""
SINGLE = ("job", "owner", "team", "since", "until", "q", "fingerprint", "sort")


@dataclass(frozen=True)
class RunFilter:
    """What a run has to be for the list, and how it is shown; empty fields ask for nothing. Moments as typed."""

    job: str = ""
    statuses: tuple[str, ...] = ()
    owner: str = ""
    team: str = ""
    labels: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    text: str = ""
    fingerprint: str = ""
    sort: str = ""
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        """Raises BadRequest naming what does not fit, and what would."""
        plain = {name: _read(query, name) for name in SINGLE}
        plain["text"] = plain.pop("q")
        statuses = tuple(dict.fromkeys(status for status in query.getlist("status") if status))
        labels = tuple(dict.fromkeys(label.strip() for label in query.getlist("label") if label.strip()))
        wanted = cls(**plain, statuses=statuses, labels=labels, columns=chosen(query.getlist("column")))
        wanted._check()
        return wanted

    def _check(self) -> None:
        for status in self.statuses:
            if status not in RunStatus.values:
                raise BadRequest(f"There is no status {status[:40]!r}. Use one of: {', '.join(RunStatus.values)}.")
        if self.sort not in SORTS:
            raise BadRequest(f"There is no order {self.sort[:40]!r}. Use one of: {', '.join(filter(None, SORTS))}.")
        if len(self.labels) > MAX_LABELS:
            raise BadRequest(f"More than {MAX_LABELS} labels are asked for. Leave some out.")
        for label in self.labels:
            _check_text("label", label)
        read_moment("since", self.since)
        read_moment("until", self.until)

    # ------------------------------------------------------------------------------------------------- as an address
    def pairs(self, **changes: Any) -> list[tuple[str, str]]:
        """The parameters that say this filter, with `changes` to its fields."""
        wanted = replace(self, **changes)
        single = {name: getattr(wanted, "text" if name == "q" else name) for name in SINGLE}
        several = {"status": wanted.statuses, "label": wanted.labels, "column": wanted.columns}
        pairs = [(name, value) for name, value in single.items() if value]
        return pairs + [(name, value) for name, values in several.items() for value in values]

    def query(self, **changes: Any) -> str:
        return urlencode(self.pairs(**changes))

    @property
    def is_empty(self) -> bool:
        """Does it ask for nothing? Order and columns leave out no run."""
        return not self.pairs(sort="", columns=())

    @property
    def ranked_by(self) -> str:
        """The column of the figure that the order goes by; empty where it goes by time."""
        return RANKED_BY.get(self.sort, "")

    @property
    def shows(self) -> tuple[str, ...]:
        """The columns of the table, with the one that it is sorted by."""
        shown = {*(self.columns or DEFAULT), self.ranked_by}
        return tuple(name for name in COLUMNS if name in shown)

    # ------------------------------------------------------------------------------------------------- on the rows
    def narrow(self, runs: QuerySet[Run]) -> QuerySet[Run]:
        """Those of `runs` that fit. Of a fingerprint only that they failed: the search tells causes apart."""
        runs = runs.filter(*self._conditions())
        for label in self.labels:
            key, has_value, value = label.partition("=")
            if has_value:
                runs = runs.alias(_label=KeyTransform(key, "labels")).filter(_label=value)
            else:
                runs = runs.filter(labels__has_key=key)
        return holds_text(runs, self.text) if self.text else runs

    def _conditions(self) -> list[Q]:
        since, until = read_moment("since", self.since), read_moment("until", self.until)
        plain = {
            "job": self.job,
            "status__in": self.statuses,
            "owner__username": self.owner,
            "team__name": self.team,
            "created_at__gte": since,
            "created_at__lt": until,
        }
        asked = [Q(**{name: value}) for name, value in plain.items() if value]
        return [*asked, Q(status=RunStatus.FAILED)] if self.fingerprint else asked

    @property
    def span(self) -> tuple[datetime | None, datetime | None]:
        return read_moment("since", self.since), read_moment("until", self.until)


def _read(query: QueryDict, name: str) -> str:
    value: str = query.get(name, "").strip()
    _check_text(name, value)
    return value


def _check_text(name: str, value: str) -> None:
    if "\0" in value:
        raise BadRequest(f"{name!r} holds a null character. Leave it out.")
    if len(value) > LONGEST_TEXT:
        raise BadRequest(f"{name!r} is longer than {LONGEST_TEXT} characters. Shorten it.")
    try:
        value.encode()
    except UnicodeEncodeError as exc:
        raise BadRequest(f"{name!r} holds what is no text. Type it again.") from exc
