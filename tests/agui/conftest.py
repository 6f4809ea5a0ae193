"""People around threads: the owner, a colleague of their team, a stranger, an administrator."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from ag_ui.core import Message, UserMessage
from django.contrib.auth.models import Group, User
from django.db import transaction

from flows.llm.models import ProviderProfile
from perdure.agui.model_history import history_for_models
from perdure.agui.models import ProtocolRun, Thread, Turn
from perdure.agui.threads import open_thread
from perdure.agui.turns import ClientRun, add_turn, labels_of, owner_of_run
from runs import clock, jobs
from tests.agui import jobs as talking_jobs  # noqa: F401  (registers them)

Says = Callable[..., Turn]


@pytest.fixture(autouse=True)
def _own_clock(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RUNS_UNLOAD_AFTER = 0.05
    monkeypatch.setattr(clock, "_offset", timedelta(0))


@pytest.fixture
def team(db: None) -> Group:
    return Group.objects.create(name="night shift")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob")


@pytest.fixture
def stranger(db: None) -> User:
    made = User.objects.create_user("mallory")
    made.groups.add(Group.objects.create(name="others"))
    return made


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root")


def say(
    user: User, thread_id: str, text: str, *, run_id: str = "", job: str = "talk-echo", team: str | None = None,
    **input: Any,
) -> Turn:  # fmt: skip
    """What the run door does with a new message: one run, one turn, one protocol run."""
    with transaction.atomic():
        thread = open_thread(user, thread_id, team)
        run = jobs.start(
            job, text, labels=labels_of(thread), owner=owner_of_run(thread, user), team=thread.team
        ).run  # fmt: skip
        number = thread.messages.count() + 1
        client = ClientRun(run_id=run_id or f"run-{run.id}", protocol_version="1.0", input=input)
        turn, _ = add_turn(thread, run, [UserMessage(id=f"{thread_id}-u{number}", content=text)], client)
    return turn


def converse(user: User, thread_id: str, *new: Message, team: str | None = None, **input: Any) -> Turn:
    """The same for the job that is told the whole conversation."""
    with transaction.atomic():
        thread = open_thread(user, thread_id, team)
        told = history_for_models(thread, 100_000, new)
        conversation = {"messages": [one.model_dump() for one in told], "state": input.get("state", thread.state)}
        run = jobs.start("talk-chat", conversation, labels=labels_of(thread), owner=user, team=thread.team).run
        turn, _ = add_turn(thread, run, new, ClientRun(run_id=f"run-{run.id}", protocol_version="1.0", input=input))
    return turn


@pytest.fixture
def scripted(db: None) -> Callable[..., None]:
    """The rules of the scripted model."""

    def make(*rules: dict[str, Any]) -> None:
        values = {"kind": "scripted", "extra": {"scenario": {"rules": list(rules)}}, "updated_at": clock.now()}
        ProviderProfile.objects.update_or_create(id="default", defaults=values)

    return make


def only_run(turn: Turn) -> ProtocolRun:
    return turn.protocol_runs.get()


def reloaded(thread: Thread) -> Thread:
    return Thread.objects.get(pk=thread.pk)
