"""The entries of the bar: which pages it leads to, who sees each, and where one is."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from django.http import HttpRequest
from django.urls import reverse


def everyone(user: Any) -> bool:
    return True


def staff(user: Any) -> bool:
    return bool(user.is_staff)


def may_clean_up(user: Any) -> bool:
    return bool(user.is_staff and user.has_perm("runs.delete_run"))


@dataclass(frozen=True)
class Entry:
    """`under` are patterns (`run-*`) of the names of the addresses at which the entry is marked too."""

    label: str
    url_name: str
    icon: str
    under: tuple[str, ...] = ()
    seen_by: Callable[[Any], bool] = everyone
    key: str = ""
    """The letter that leads there after `g`."""


WORK = (
    Entry("Home", "dashboard:home", "home", key="h"),
    Entry("Inbox", "dashboard:inbox", "inbox", ("inbox-*", "question", "question-*"), key="i"),
    Entry("Runs", "dashboard:run-list", "runs", ("run", "run-*"), key="r"),
    Entry("Start", "dashboard:job-list", "play", ("start", "preset-*"), key="s"),
    Entry("Flows & pipelines", "dashboard:definition-list", "flow", ("definition-*", "flow", "pipeline"), key="f"),
    Entry("Schedules", "dashboard:schedule-list", "calendar", ("schedule", "schedule-*"), key="c"),
    Entry("Workers", "dashboard:workers", "worker", key="w"),
    Entry("Usage", "dashboard:usage", "chart", ("usage-*",), key="u"),
)
MANAGE = (
    Entry("Settings", "dashboard:settings", "settings", ("settings-*", "token-*", "team-*")),
    Entry("Clean up", "dashboard:cleanup", "broom", seen_by=may_clean_up),
    Entry("Admin", "admin:index", "shield", seen_by=staff),
    Entry("Style guide", "dashboard:styleguide", "palette", seen_by=staff),
)


@dataclass(frozen=True)
class Link:
    label: str
    href: str
    icon: str
    key: str
    current: str
    """`page` on the page itself, `true` on a page below it, else empty: the value of `aria-current`."""
    is_inbox: bool


def links(request: HttpRequest, entries: tuple[Entry, ...]) -> list[Link]:
    """Those of `entries` that whoever asks may see, marked where they are."""
    match = request.resolver_match
    here = match.view_name if match is not None else ""
    return [_link(entry, here) for entry in entries if entry.seen_by(request.user)]


def _link(entry: Entry, here: str) -> Link:
    current = "page" if here == entry.url_name else "true" if _is_under(entry, here) else ""
    is_inbox = entry.url_name == "dashboard:inbox"
    return Link(entry.label, reverse(entry.url_name), entry.icon, entry.key, current, is_inbox)


def _is_under(entry: Entry, here: str) -> bool:
    return any(fnmatchcase(here, f"dashboard:{pattern}") for pattern in entry.under)
