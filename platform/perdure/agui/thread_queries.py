"""What callers ask of a list of threads, read strictly, and what they want changed of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict

from perdure.agui.access import actor_of
from perdure.agui.errors import InvalidInput
from perdure.agui.models import Thread
from perdure.agui.threads import archive_thread, get_thread, list_threads, rename_thread, unarchive_thread

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
ARCHIVED = {"false": False, "true": True, "all": None}


@dataclass(frozen=True)
class ThreadQuery:
    """`archived` None: both kinds."""

    agent: str | None = None
    archived: bool | None = False
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    @classmethod
    def of(cls, params: QueryDict) -> "ThreadQuery":
        """`?agent=&archived=true|false|all&limit=&cursor=`. Raises InvalidInput."""
        archived = params.get("archived", "false")
        if archived not in ARCHIVED:
            raise InvalidInput.of("archived", f"must be one of {', '.join(ARCHIVED)}")
        agent = params.get("agent") or None
        if agent is not None and not agent.isprintable():
            raise InvalidInput.of("agent", "must be the name of an agent")
        return cls(agent, ARCHIVED[archived], read_limit(params), params.get("cursor") or None)

    def find(self, user: Any) -> tuple[list[Thread], str | None]:
        """A page, and the cursor of the next one. Raises InvalidOption for what is no cursor."""
        return list_threads(user, self.agent, self.archived, self.limit, self.cursor)


def read_limit(params: QueryDict) -> int:
    """Raises InvalidInput."""
    text = params.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_LIMIT):
        raise InvalidInput.of("limit", f"must be a number from 1 to {MAX_LIMIT}")
    return int(text)


def change_thread(request: HttpRequest, user: Any, thread_id: str, body: Mapping[str, Any], title: str) -> Thread:
    """Rename it by the member called `title`, archive it or bring it back by `archived`. Raises InvalidInput first."""
    name, archived = body.get(title), body.get("archived")
    if name is None and archived is None:
        raise InvalidInput.of("body", f"must have {title!r} or 'archived'")
    if name is not None and not isinstance(name, str):
        raise InvalidInput.of(title, "must be a text")
    if archived is not None and not isinstance(archived, bool):
        raise InvalidInput.of("archived", "must be true or false")
    actor = actor_of(request, user)
    if name is not None:
        rename_thread(user, thread_id, name, actor=actor)
    if archived is not None:
        (archive_thread if archived else unarchive_thread)(user, thread_id, actor=actor)
    return get_thread(user, thread_id)
