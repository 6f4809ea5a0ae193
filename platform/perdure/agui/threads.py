"""Threads: durable conversations, each somebody's own or a team's. Clients choose their ids, so they prove nothing.

Whoever changes a thread and a run holds the thread's row first and the run's after it.
"""

import base64
import binascii
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q, QuerySet

from perdure.agui.errors import ThreadNotFound
from perdure.agui.models import Thread
from runs import clock, jobs
from runs.errors import InvalidOption, RunAlreadyEnded, RunNotFound
from runs.jobs import Actor
from runs.models import ENDED, Run

MAX_ID = 256
_MAX_TITLE = 200


def visible_threads(user: Any) -> QuerySet[Thread]:
    """Their own, their teams', and all for a superuser. What somebody left in a team is the team's alone."""
    if not user.is_authenticated or not user.is_active:
        return Thread.objects.none()
    if user.is_superuser:
        return Thread.objects.all()
    return Thread.objects.filter(Q(owner=user.pk, team=None) | Q(team__in=user.groups.values("id")))


def get_thread(user: Any, thread_id: str) -> Thread:
    """Raises ThreadNotFound, alike for another's."""
    found = visible_threads(user).filter(thread_id=thread_id).first() if _is_id(thread_id) else None
    if found is None:
        raise ThreadNotFound(thread_id)
    return found


def lock_thread(user: Any, thread_id: str) -> Thread:
    """The same, held until the caller's transaction ends. Raises ThreadNotFound."""
    found = _locked(user, thread_id) if _is_id(thread_id) else None
    if found is None:
        raise ThreadNotFound(thread_id)
    return found


def open_thread(user: Any, thread_id: str, team_name: str | None = None) -> Thread:
    """The thread, made if there is none of this id, held until the caller's transaction ends.

    Raises ThreadNotFound for another's, InvalidOption for what is no id, for a team that `user` is not in, and for
    one that is not the thread's.
    """
    if not _is_id(thread_id):
        raise InvalidOption("threadId", f"is empty, longer than {MAX_ID} or not printable", "Use a UUID.")
    team = _team_of(user, team_name)
    now = clock.now()
    made = Thread(thread_id=thread_id, owner=user, team=team, created_at=now, updated_at=now)
    # two clients may begin the same thread at once: one of them makes it, and the other meets it, or finds it another's
    Thread.objects.bulk_create([made], ignore_conflicts=True)
    thread = lock_thread(user, thread_id)
    if team is not None and thread.team_id != team.pk:
        raise InvalidOption("team", "is not the thread's", "Leave it out, or begin a new thread for that team.")
    return thread


def list_threads(
    user: Any, agent: str | None = None, archived: bool | None = False, limit: int = 50, cursor: str | None = None
) -> tuple[list[Thread], str | None]:
    """A page of threads, the last used first, and the cursor of the next page. `archived` None gives both kinds.

    Raises InvalidOption for what is no cursor.
    """
    rows = visible_threads(user).select_related("owner", "team").order_by("-updated_at", "-id")
    if agent is not None:
        rows = rows.filter(agent=agent)
    if archived is not None:
        rows = rows.filter(archived_at__isnull=not archived)
    if cursor:
        at, after = _read_cursor(cursor)
        rows = rows.filter(Q(updated_at__lt=at) | Q(updated_at=at, id__lt=after))
    found = list(rows[: limit + 1])
    more = len(found) > limit
    return found[:limit], _cursor_of(found[limit - 1]) if more else None


def rename_thread(user: Any, thread_id: str, title: str, *, actor: Actor | None = None) -> Thread:
    """Raises ThreadNotFound, InvalidOption."""
    title = title.strip()
    if not title or len(title) > _MAX_TITLE or not title.isprintable():
        raise InvalidOption("name", f"is empty, longer than {_MAX_TITLE} or not printable", "Send plain text.")
    return _change(user, thread_id, "rename", actor, title=title)


def archive_thread(user: Any, thread_id: str, *, actor: Actor | None = None) -> Thread:
    """Out of the list; its next turn brings it back. Raises ThreadNotFound."""
    return _change(user, thread_id, "archive", actor, archived_at=clock.now())


def unarchive_thread(user: Any, thread_id: str, *, actor: Actor | None = None) -> Thread:
    """Raises ThreadNotFound."""
    return _change(user, thread_id, "unarchive", actor, archived_at=None)


def delete_thread(user: Any, thread_id: str, *, actor: Actor | None = None) -> None:
    """Remove it with all its messages. What of it is under way is cancelled; its runs are kept as long as any run.

    Raises ThreadNotFound.
    """
    with transaction.atomic():
        erase(lock_thread(user, thread_id), actor or Actor.of(user))


def erase(thread: Thread, actor: Actor) -> None:
    """As `delete_thread`, for whoever may do it to any thread."""
    with transaction.atomic():
        held = Thread.objects.select_for_update(of=("self",)).filter(pk=thread.pk).first()
        if held is None:
            raise ThreadNotFound(thread.thread_id)
        cancel_runs(held, actor, "Its thread was deleted.")
        jobs.audit(actor, "thread.delete", held.thread_id, {"title": held.title, "id": str(held.id)})
        held.delete()


def cancel_runs(thread: Thread, actor: Actor, reason: str) -> list[UUID]:
    """Cancel what is under way of a thread that this transaction holds; the runs that this call ended."""
    at_work = Run.objects.filter(agui_turn__thread=thread).exclude(status__in=ENDED).order_by("id")
    ended = []
    for run_id in at_work.values_list("id", flat=True):
        with suppress(RunAlreadyEnded, RunNotFound):  # it may end by itself at this moment
            ended.append(jobs.cancel(run_id, actor=actor, reason=reason).id)
    return ended


def _change(user: Any, thread_id: str, what: str, actor: Actor | None, **values: Any) -> Thread:
    with transaction.atomic():
        thread = lock_thread(user, thread_id)
        for name, value in values.items():
            setattr(thread, name, value)
        thread.save(update_fields=list(values))
        jobs.audit(actor or Actor.of(user), f"thread.{what}", thread.thread_id, {"title": thread.title})
    return thread


def _is_id(thread_id: object) -> bool:
    return isinstance(thread_id, str) and 0 < len(thread_id) <= MAX_ID and thread_id.isprintable()


def _locked(user: Any, thread_id: str) -> Thread | None:
    visible = visible_threads(user).values("pk")
    rows = Thread.objects.select_for_update(of=("self",)).filter(thread_id=thread_id, pk__in=visible)
    return rows.first()


def _team_of(user: Any, name: str | None) -> Group | None:
    """A team of others and one that does not exist get the same answer."""
    if name is None:
        return None
    groups = Group.objects.all() if user.is_superuser else user.groups.all()
    found: Group | None = groups.filter(name=name).first()
    if found is None:
        raise InvalidOption("team", "is not a team that you are in", "Name one of yours, or leave it out.")
    return found


def _cursor_of(thread: Thread) -> str:
    return base64.urlsafe_b64encode(f"{thread.updated_at.isoformat()} {thread.id}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, _, thread = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        when = datetime.fromisoformat(at)
        if when.utcoffset() != timedelta(0):  # another one may lie beyond the first or the last year
            raise ValueError(at)
        return when, UUID(thread)
    except (ValueError, binascii.Error) as exc:
        raise InvalidOption("cursor", "is none that a page came with", "Begin without one.") from exc
