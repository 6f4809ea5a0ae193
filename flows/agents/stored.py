"""Stored flows: each version is written once and stays what it is."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import IntegrityError, transaction

from flows import documents
from flows.agents import catalogue, files
from flows.agents.errors import FlowExists, FlowNotFound, FlowProblem, InvalidFlow
from flows.agents.loader import as_document, digest_of, load
from flows.agents.models import FlowDefinition, Origin
from flows.agents.spec import Flow
from flows.agents.validation import Found, calls, profiles
from flows.agents.validation.found import all_steps
from runs import clock
from runs.jobs import SYSTEM, Actor, audit


def store(document: dict[str, Any] | str, *, creator: Any = None, actor: Actor = SYSTEM) -> FlowDefinition:
    """Store a version of a flow: YAML or JSON text, or the value itself.

    The same document again gives the row that is there. Raises InvalidFlow; FlowExists for another document under a
    version that is there, and for a name that an app's file has.
    """
    text = document if isinstance(document, str) else documents.write(document)
    made = read(text)
    check_free(made)
    digest = digest_of(made)
    try:
        with transaction.atomic():
            row, is_new = FlowDefinition.objects.get_or_create(
                digest=digest, defaults=_values(made, text, Origin.STORED) | {"creator": creator}
            )
            if not is_new and row.origin != Origin.STORED:
                row.origin = Origin.STORED  # runs of a file that is gone now had pinned it
                row.save(update_fields=["origin"])
            audit(actor, "flow.store", f"{made.name} {made.version}", {"digest": digest})
    except IntegrityError as exc:
        raise FlowExists(made.name, made.version, "another document has this version") from exc
    return row


def read(text: str) -> Flow:
    """A flow as people may store it: it has no files, and may do no more than its author. Raises InvalidFlow."""
    return load(text, further=(_calls, profiles.unknown, profiles.risky))


def _calls(flow: Flow) -> Iterator[Found]:
    return calls.problems_of(flow, _find)


def _find(name: str, version: str | None) -> Flow | None:
    try:
        return catalogue.find(name, version)
    except FlowNotFound:
        return None


def check_free(made: Flow) -> None:
    """Raises FlowExists unless this document may be stored under its name and version."""
    if any(one.name == made.name for one in files.loaded().flows):
        raise FlowExists(made.name, made.version, "an app brings this name as a file; choose another name")
    same = FlowDefinition.objects.filter(name=made.name, version=made.version, origin=Origin.STORED)
    if same.exclude(digest=digest_of(made)).exists():
        raise FlowExists(made.name, made.version, "another document has this version")


def pin(made: Flow) -> str:
    """Keep the flow that a run is started with; its digest."""
    digest = digest_of(made)
    if not FlowDefinition.objects.filter(digest=digest).exists():
        values = _values(made, documents.write(as_document(made)), Origin.FILE)
        FlowDefinition.objects.bulk_create([FlowDefinition(digest=digest, **values)], ignore_conflicts=True)
    return digest


def pin_all(made: Flow, find: Callable[[str, str | None], Flow] = catalogue.find) -> dict[str, str]:
    """Keep the flow and all that it calls, also by way of others; the digests by name. `find` gives those called.

    Raises FlowNotFound; InvalidFlow where two versions of one flow would be called: a run knows them by name.
    """
    called = {made.name: made}
    left = [made]
    while left:
        for step in (placed.step for placed in all_steps(left.pop())):
            if step.call is None:
                continue
            known = called.get(step.call)
            if known is None:
                called[step.call] = find(step.call, step.call_version)
                left.append(called[step.call])
            elif step.call_version not in (None, known.version):
                told = f"{step.call!r} is called in version {step.call_version!r} and in {known.version!r}"
                problem = FlowProblem(told, step=step.name, remedy="Call one version of a flow.")
                raise InvalidFlow([problem], made.name)
    return {name: pin(one) for name, one in called.items()}


def pinned(digest: str) -> dict[str, Any]:
    """The document of a flow. Raises FlowNotFound."""
    document: dict[str, Any] | None = (
        FlowDefinition.objects.filter(digest=digest).values_list("document", flat=True).first()
    )
    if document is None:
        raise FlowNotFound(digest)
    return document


def _values(made: Flow, text: str, origin: Origin) -> dict[str, Any]:
    return {
        "name": made.name, "version": made.version, "document": as_document(made), "source": text, "origin": origin,
        "created_at": clock.now(),
    }  # fmt: skip
