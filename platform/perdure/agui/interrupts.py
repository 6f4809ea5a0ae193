"""A question to people as the protocol's interrupt, and the shape in which its answer comes back."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from ag_ui.core import Interrupt

from hitl.conf import get_settings
from hitl.models import Kind, Question
from perdure.agui.adapter.asked import DIGEST_CHARS, reason_of

_BOOLEAN, _TEXT = {"type": "boolean"}, {"type": "string"}


def interrupt_of(question: Question, tool_call_id: str | None) -> Interrupt:
    """The interrupt that stands for a question as it is now; one that was revised is another interrupt."""
    shown = {
        "title": question.title, "body": question.body, "kind": question.kind, "context": question.context,
        "quorum": question.quorum, "url": get_settings().question_url(question.id),
    }  # fmt: skip
    expires = question.deadline.isoformat().replace("+00:00", "Z") if question.deadline else None
    return Interrupt(
        id=interrupt_id(question), reason=reason_of(question.kind), message=question.title,
        tool_call_id=tool_call_id, response_schema=response_schema(question), expires_at=expires,
        metadata={name: value for name, value in shown.items() if value not in (None, "")},
    )  # fmt: skip


def interrupt_id(question: Question) -> str:
    """Names the question and what it shows: an answer to what was shown before it was revised is seen."""
    return f"{question.id}.{question.digest[:DIGEST_CHARS]}"


def load_interrupts(pairs: Iterable[tuple[str, str | None]]) -> list[Interrupt]:
    """The interrupts of `(question id, tool call id)`, in order, whatever became of them; deleted ones are left out."""
    wanted = list(pairs)
    questions = Question.objects.in_bulk([UUID(one) for one, _ in wanted])
    return [interrupt_of(questions[UUID(one)], call) for one, call in wanted if UUID(one) in questions]


def response_schema(question: Question) -> dict[str, Any]:
    """JSON Schema of the payload that resolves it. `editedArgs` in it says that the arguments may be edited."""
    if question.kind == Kind.INPUT:
        return question.schema or {}
    if question.kind == Kind.CHOICE:
        return {"enum": question.choices}
    fields: dict[str, Any] = {"approved": _BOOLEAN}
    if question.kind == Kind.TOOL_CALL:
        fields["editedArgs"] = _inside(question.schema or {"type": "object"}, "editedArgs")
    if question.kind == Kind.LIMIT:
        fields["value"] = _inside(question.schema or {"type": "object"}, "value")
    return {"type": "object", "properties": fields | {"reason": _TEXT}, "required": ["approved"]}


def _inside(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """The schema as a property: its references counted from its own root, which it is no more."""
    root = {key: value for key, value in schema.items() if key not in ("$schema", "$id")}
    found = _moved(root, f"#/properties/{name}")
    return found if isinstance(found, dict) else {}


def _moved(part: Any, root: str) -> Any:
    if isinstance(part, list):
        return [_moved(one, root) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: root + value[1:]
        if key == "$ref" and isinstance(value, str) and value.startswith("#")
        else _moved(value, root)
        for key, value in part.items()
    }
