"""A request's body, as what a client wants: read strictly and limited, before anything is looked up or started."""

import hashlib
import io
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from ag_ui.core import Context, Message, ResumeEntry, RunAgentInput, Tool
from django.http import HttpRequest
from pydantic import BaseModel, ValidationError

from perdure.agui.conf import get_settings
from perdure.agui.errors import InputTooLarge, InvalidInput, UnsupportedMediaType
from perdure.agui.older_inputs import modernised
from perdure.agui.workflows import Workflow, take_workflow
from runs.api.parsers import StrictJsonParser
from runs.errors import PayloadTooLarge

ID_CHARS = 256
ENTRIES_AT_MOST = 20_000
"""Of all lists that are checked, together: each entry that does not fit is reported by itself, and two megabytes hold a
million of them, half a minute's work."""
JSON_TYPE = "application/json"


@dataclass(frozen=True, kw_only=True)
class RunInput:
    """What a client sends to have a run, checked: ids are short and printable, unknown members are left out.

    `props` are the forwardedProps without `job`, `input` and `team`, which stand here by themselves. `digest` is the
    SHA-256 of the whole body: the same body again is the same wish.
    """

    thread_id: str
    run_id: str
    parent_run_id: str = ""
    protocol_version: str = ""
    messages: list[Message] = field(default_factory=list)
    state: Any = None
    tools: list[Tool] = field(default_factory=list)
    context: list[Context] = field(default_factory=list)
    resume: list[ResumeEntry] = field(default_factory=list)
    props: dict[str, Any] = field(default_factory=dict)
    workflow: Workflow | None = None
    job: str = ""
    input: Any = None
    team: str | None = None
    digest: str = ""

    @property
    def echo(self) -> dict[str, Any]:
        """The input in the protocol's words, without its messages: those that are new are kept as messages."""
        kept = RunAgentInput(
            thread_id=self.thread_id, run_id=self.run_id, messages=[], state=self.state, tools=self.tools,
            context=self.context, forwarded_props=self.props, resume=self.resume or None,
            parent_run_id=self.parent_run_id or None, protocol_version=self.protocol_version or None,
        )  # fmt: skip
        return kept.model_dump(mode="json", by_alias=True, exclude={"messages"})


def read_json(request: HttpRequest) -> dict[str, Any]:
    """The body as a JSON object. Raises UnsupportedMediaType, InputTooLarge, InvalidInput, MalformedJson.

    Forms and plain text are refused before they are read: browsers send those to other sites without asking them.
    """
    if request.content_type != JSON_TYPE:
        raise UnsupportedMediaType(request.content_type or "without a type")
    return _read_object(request, request.headers.get("Content-Length", ""))


def parse_input(raw: bytes) -> RunInput:
    """What came as one message of a socket. Raises InputTooLarge, InvalidInput, MalformedJson."""
    return read_run_input(_read_object(io.BytesIO(raw), str(len(raw))))


def _read_object(stream: Any, length: str) -> dict[str, Any]:
    limit = get_settings().max_input_bytes
    if length.isdigit() and int(length) > limit:
        raise InputTooLarge(limit)
    try:
        body = StrictJsonParser().parse(stream)
    except PayloadTooLarge as exc:
        raise InputTooLarge(limit) from exc
    if not isinstance(body, dict):
        raise InvalidInput.of("body", "must be a JSON object")
    return body


def read_run_input(body: dict[str, Any]) -> RunInput:
    """Raises InvalidInput naming each field that does not fit."""
    if not body:
        raise InvalidInput.of("body", "must be a JSON object, and not an empty one")
    _check_entries(body)
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    body = modernised(body)
    workflow, context = take_workflow(body.get("context"))
    try:
        read = RunAgentInput.model_validate(
            body | {"context": context, "messages": body.get("messages") or []}
            | {name: body.get(name) or str(uuid4()) for name in ("threadId", "runId")}
        )  # fmt: skip
    except ValidationError as exc:
        raise InvalidInput.from_pydantic(exc) from exc
    _forget_unknown(read)
    _check_ids(read)
    props = _props(read.forwarded_props)
    return RunInput(
        thread_id=read.thread_id, run_id=read.run_id, parent_run_id=read.parent_run_id or "",
        protocol_version=(read.protocol_version or "")[:20], messages=read.messages, state=read.state,
        tools=read.tools or [], context=read.context or [], resume=read.resume or [], workflow=workflow,
        job=_text(props, "job") or "", team=_text(props, "team"), input=props.pop("input", None), props=props,
        digest=digest,
    )  # fmt: skip


def check_id(name: str, value: object) -> str:
    """An id that clients choose: it stands in addresses and headers. Raises InvalidInput."""
    if not isinstance(value, str) or not 1 <= len(value) <= ID_CHARS or not all("!" <= one <= "~" for one in value):
        raise InvalidInput.of(name, f"must be 1 to {ID_CHARS} visible ASCII characters")
    if "/" in value:
        raise InvalidInput.of(name, "must be without a slash")
    return value


def _forget_unknown(value: Any) -> None:
    """Members that the protocol does not know are not sent back: its clients report each of them as a fault."""
    if isinstance(value, list):
        for one in value:
            _forget_unknown(one)
    elif isinstance(value, BaseModel):
        (value.model_extra or {}).clear()
        for name in type(value).model_fields:
            _forget_unknown(getattr(value, name))


def _check_entries(body: dict[str, Any]) -> None:
    entries, rest = 0, [value for name, value in body.items() if name not in ("state", "forwardedProps")]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            rest += value.values()
        elif isinstance(value, list):
            entries += len(value)
            if entries > ENTRIES_AT_MOST:
                raise InvalidInput.of("body", f"holds lists of more than {ENTRIES_AT_MOST} entries; send what is new")
            rest += value


def _check_ids(read: RunAgentInput) -> None:
    check_id("threadId", read.thread_id)
    check_id("runId", read.run_id)
    if read.parent_run_id:
        check_id("parentRunId", read.parent_run_id)
    seen: set[str] = set()
    for place, message in enumerate(read.messages):
        if not message.id or len(message.id) > ID_CHARS:
            raise InvalidInput.of(f"messages.{place}.id", f"must be 1 to {ID_CHARS} characters")
        if message.id in seen:
            raise InvalidInput.of(f"messages.{place}.id", "is that of another message too")
        seen.add(message.id)


def _props(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput.of("forwardedProps", "must be an object")
    return dict(value)


def _text(props: dict[str, Any], name: str) -> str | None:
    value = props.pop(name, None)
    if value is not None and not (isinstance(value, str) and 1 <= len(value) <= 200):
        raise InvalidInput.of(f"forwardedProps.{name}", "must be a text of 1 to 200 characters")
    return value
