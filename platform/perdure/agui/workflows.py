"""The workflow that a context names: an entry of the older front, nested under `data` or flat, in either spelling."""

import json
import re
from dataclasses import dataclass
from typing import Any

from perdure.agui.errors import InvalidInput

DEFINITION, INLINE = "workflow_definition", "workflow_inline"


@dataclass(frozen=True)
class Workflow:
    """`name` (and perhaps `version`) of one that is there, or the `document` of one that is sent along.

    `given` is its workflowContext: what the workflow is told beside the messages.
    """

    name: str = ""
    version: str | None = None
    document: Any = None
    given: Any = None


def take_workflow(context: Any) -> tuple[Workflow | None, list[Any]]:
    """The workflow, and the entries that are plain context. Raises InvalidInput."""
    if context is None:
        return None, []
    if not isinstance(context, list):
        raise InvalidInput.of("context", "must be a list")
    found: list[Workflow] = []
    plain: list[Any] = []
    for place, entry in enumerate(context):
        kind = _kind(entry)
        if kind in (DEFINITION, INLINE):
            found.append(_workflow(kind, _members(entry), f"context.{place}"))
        elif kind == "custom":
            plain.append(_as_context(_members(entry)))
        elif kind == "checkpoint_resume":
            raise InvalidInput.of(f"context.{place}", "asks to go on at a checkpoint; answer in `resume` instead")
        else:
            plain.append(entry)
    if len(found) > 1:
        raise InvalidInput.of("context", "names more than one workflow")
    return (found[0] if found else None), plain


def _kind(entry: Any) -> str:
    kind = entry.get("type") if isinstance(entry, dict) else None
    return _snake(kind) if isinstance(kind, str) else ""


def _members(entry: dict[str, Any]) -> dict[str, Any]:
    inner = entry.get("data")
    members = inner if isinstance(inner, dict) and _kind(entry) != "custom" else entry
    return {_snake(name): value for name, value in members.items()}


def _workflow(kind: str, members: dict[str, Any], where: str) -> Workflow:
    given = members.get("workflow_context")
    if kind == INLINE:
        if not isinstance(document := members.get("workflow"), dict | str) or not document:
            raise InvalidInput.of(f"{where}.workflow", "must be the workflow itself")
        return Workflow(document=document, given=given)
    name, version = members.get("workflow_name"), members.get("version")
    if not isinstance(name, str) or not 1 <= len(name) <= 200:
        raise InvalidInput.of(f"{where}.workflow_name", "must be a text of 1 to 200 characters")
    if version is not None and not (isinstance(version, str) and 1 <= len(version) <= 64):
        raise InvalidInput.of(f"{where}.version", "must be a text of 1 to 64 characters")
    return Workflow(name=name, version=version, given=given)


def _as_context(members: dict[str, Any]) -> dict[str, str]:
    value = members.get("data")
    text = value if isinstance(value, str) else json.dumps(value)
    return {"description": str(members.get("name", "")), "value": text}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name[:100]).lower()
