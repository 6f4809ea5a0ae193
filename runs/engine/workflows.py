"""What other apps add to the workflow API: names that start something other than the job of that name, and what the
recorded steps of a run mean. Registered, since the engine knows none of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from runs.definitions import registry
from runs.engine.queries import StepView, view_of
from runs.engine.store.rows import Actor
from runs.engine.store.start import Started
from runs.models import Run, Step


class Begin(Protocol):
    """Starts what a name stands for, as `runs.jobs.start` does."""

    def __call__(self, *, owner: Any, labels: dict[str, str], idempotency_key: str | None, actor: Actor) -> Started: ...


Resolver = Callable[[str, Mapping[str, Any]], Begin | None]


class Reading(NamedTuple):
    """What steps mean: of which tool calls they are, what was edited, and what was said. JSON values."""

    calls: dict[str, dict[str, Any]]  # by step: {"tool", "params"}
    edits: list[dict[str, Any]]  # {"file", "operation", "step"}
    conversation: list[dict[str, Any]]  # {"role", "content", ...}


Reader = Callable[[Sequence[StepView]], Reading]
_resolvers: dict[str, Resolver] = {}
_readers: dict[str, Reader] = {}


def name_workflows(label: str, resolver: Resolver) -> None:
    """`resolver(name, given)` says how a workflow begins that no job is called; None where it knows none of that name.

    `given` holds projectId, task and metadata, as far as they were sent. Belongs in an app's `ready`.
    """
    _resolvers[label] = resolver


def workflow_named(name: str, given: Mapping[str, Any]) -> Begin | None:
    """How it begins; None where it is a job, which goes before whatever else has its name, or nothing that is known."""
    if any(job.name == name for job in registry.all()):
        return None
    return next((found for one in _resolvers.values() if (found := one(name, given)) is not None), None)


def read_workflows(label: str, reader: Reader) -> None:
    """`reader(steps)` says what recorded steps mean, those it knows. Belongs in an app's `ready`."""
    _readers[label] = reader


def read_steps(steps: Sequence[StepView]) -> Reading:
    """By all who know some of them."""
    whole = Reading({}, [], [])
    for reader in _readers.values():
        part = reader(steps)
        whole.calls.update(part.calls)
        whole.edits.extend(part.edits)
        whole.conversation.extend(part.conversation)
    return whole


def newest_steps(run: Run, most: int) -> list[StepView]:
    """The newest steps of a run, the oldest of them first, with secrets masked."""
    found = Step.objects.filter(run=run).order_by("-id")[:most]
    return [view_of(step) for step in reversed(list(found))]
