"""Which job, pipeline or agent flow answers, and the run that it answers with."""

import inspect
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

from ag_ui.core import Message, UserMessage
from pydantic import ValidationError

from flows import documents
from flows.agents import catalogue as flow_catalogue
from flows.agents import starting as flow_starting
from flows.agents.errors import FlowNotFound
from flows.agents.run_input import MAX_TASK
from flows.agents.spec import Flow
from flows.llm.conversation import Conversation
from flows.pipelines import catalogue, starting, stored
from flows.pipelines.errors import PipelineNotFound
from flows.pipelines.spec import PipelineDef
from perdure.agui.conf import get_settings
from perdure.agui.errors import AgentNotFound, InputTooLarge, InvalidInput, PermissionDenied
from perdure.agui.inputs import RunInput
from perdure.agui.model_history import as_model_message, history_for_models
from perdure.agui.models import Thread
from perdure.agui.turns import labels_of, owner_of_run
from runs import jobs
from runs.conf import get_settings as get_runs_settings
from runs.errors import JobNotFound
from runs.jobs import Actor, Job
from runs.models import Run

START_INLINE = "agui.start_inline"
_ENVELOPE_BYTES = 4096
_CONTENT = "forwardedProps.input"


@dataclass(frozen=True)
class Target:
    """A job that frontends may talk to, a pipeline, or a flow that is exposed."""

    job: Job | None = None
    pipeline: PipelineDef | None = None
    flow: Flow | None = None

    @property
    def name(self) -> str:
        if self.flow is not None:
            return self.flow.name
        if self.pipeline is not None:
            return self.pipeline.type
        return self.job.name if self.job is not None else ""


def find_target(user: Any, wanted: RunInput) -> Target:
    """Whom the input names: in its context, in its forwardedProps, else the default.

    Raises AgentNotFound, alike for a job that is not exposed, PermissionDenied, InvalidPipeline.
    """
    workflow = wanted.workflow
    if workflow is not None and workflow.document is not None:
        return Target(pipeline=_read_inline(user, workflow.document))
    if workflow is not None:
        return named(workflow.name, workflow.version)
    return named(wanted.job or get_settings().default_job)


def named(name: str, version: str | None = None) -> Target:
    """A job, a pipeline or an exposed flow by its name, in this order. Raises AgentNotFound."""
    try:
        job = jobs.get_job(name, version) if version is not None else jobs.job_for_new_run(name)
    except JobNotFound:
        job = None
    if job is not None and job.agui:
        return Target(job=job)
    try:
        return Target(pipeline=catalogue.find(name, version))
    except PipelineNotFound:
        return Target(flow=_exposed_flow(name, version))


def start(user: Any, thread: Thread, target: Target, wanted: RunInput, new: Sequence[Message], actor: Actor) -> Run:
    """Start the run of a turn, in a transaction that holds the thread. `new` is what the client newly said.

    Raises InvalidInput where the target takes something else, and what `runs.jobs.start` raises.
    """
    options = {
        "owner": owner_of_run(thread, user), "team": thread.team, "labels": labels_of(thread), "actor": actor,
    }  # fmt: skip
    if target.pipeline is not None:
        return starting.start(target.pipeline, _pipeline_input(wanted, new), **options).run
    if target.flow is not None:
        return flow_starting.start(target.flow, **_flow_input(wanted, new), **options).run
    assert target.job is not None
    return jobs.start(target.job, _job_input(thread, target.job, wanted, new), **options).run


def shared_state(thread: Thread, wanted: RunInput) -> Any:
    """The state that a turn begins with: the client's, unless it has none yet. Clients send `{}` before they do."""
    return wanted.state if wanted.state not in (None, {}) else thread.state


def takes_conversation(job: Job) -> bool:
    names = list(inspect.signature(job.function).parameters)
    hint = get_type_hints(job.function).get(names[1]) if len(names) > 1 else None
    return isinstance(hint, type) and issubclass(hint, Conversation)


def _read_inline(user: Any, document: dict[str, Any] | str) -> PipelineDef:
    if not user.has_perm(START_INLINE):
        raise PermissionDenied(
            "You may not start workflows that are sent with a request. Name one that is there, or ask an administrator "
            f"for the permission {START_INLINE}."
        )
    return stored.read(document if isinstance(document, str) else documents.write(document))


def _job_input(thread: Thread, job: Job, wanted: RunInput, new: Sequence[Message]) -> Any:
    if takes_conversation(job):
        return _conversation(thread, wanted, new)
    given = _given(wanted)
    if given is not None:
        return given
    if job.input_adapter is None:
        return None
    return _as_input(job, last_text(new))


def _given(wanted: RunInput) -> Any:
    if wanted.input is not None:
        return wanted.input
    return wanted.workflow.given if wanted.workflow is not None else None


def _as_input(job: Job, text: str) -> Any:
    """The text where the job takes a text, or an object that needs nothing but one."""
    schema = job.input_schema()
    required = schema.get("required", [])
    properties = schema.get("properties", {})
    if not text:
        raise InvalidInput.of("messages", "hold no new text of the user")
    if schema.get("type") == "string":
        return text
    if len(required) == 1 and properties.get(required[0], {}).get("type") == "string":
        return {required[0]: text}
    raise InvalidInput.of(_CONTENT, f"is needed: {job.name} takes more than a text")


def _pipeline_input(wanted: RunInput, new: Sequence[Message]) -> dict[str, Any]:
    if wanted.input is not None:
        if not isinstance(wanted.input, dict):
            raise InvalidInput.of(_CONTENT, "must be an object with sources and options")
        return wanted.input
    given = _given(wanted)
    text = last_text(new)
    if not text:
        raise InvalidInput.of("messages", "hold no new text of the user")
    options = {"options": given} if isinstance(given, dict) else {}
    return {"sources": [{"kind": "note", "label": "message", "content": text}]} | options


def _exposed_flow(name: str, version: str | None) -> Flow:
    try:
        made = flow_catalogue.find(name, version)
    except FlowNotFound as exc:
        raise AgentNotFound(name) from exc
    if not made.agui:
        raise AgentNotFound(name)
    return made


def _flow_input(wanted: RunInput, new: Sequence[Message]) -> dict[str, Any]:
    """The task is what the user says; `vars` may be given beside it."""
    given = _given(wanted)
    if given is not None and not isinstance(given, dict):
        raise InvalidInput.of(_CONTENT, "must be an object with task and vars")
    given = given or {}
    variables, task = given.get("vars") or {}, given.get("task") or last_text(new)
    if unknown := set(given) - {"task", "vars"}:
        raise InvalidInput.of(_CONTENT, f"takes task and vars, not {min(map(str, unknown))[:100]!r}")
    if not isinstance(variables, dict) or not all(isinstance(value, str) for value in variables.values()):
        raise InvalidInput.of(f"{_CONTENT}.vars", "must be an object of texts")
    if not isinstance(task, str) or not task:
        raise InvalidInput.of("messages", "hold no new text of the user")
    if len(task) > MAX_TASK:
        raise InvalidInput.of("messages", f"hold more than {MAX_TASK} characters")
    return {"task": task, "variables": variables}


def last_text(messages: Sequence[Message]) -> str:
    """The text of the user's last message; empty if there is none."""
    said = next((one for one in reversed(messages) if isinstance(one, UserMessage)), None)
    if said is None:
        return ""
    if isinstance(said.content, str):
        return said.content
    return "\n".join(part.text for part in said.content if part.type == "text")


def _conversation(thread: Thread, wanted: RunInput, new: Sequence[Message]) -> Conversation:
    if all(as_model_message(one) is None for one in new):
        raise InvalidInput.of("messages", "hold nothing new that a model can read")
    state = shared_state(thread, wanted)
    if not isinstance(state, dict):
        raise InvalidInput.of("state", "must be an object")
    try:
        around = Conversation.model_validate({
            "tools": [_tool_spec(one) for one in wanted.tools], "state": state, "thread": thread.thread_id,
            "props": wanted.props if wanted.input is None else wanted.props | {"input": wanted.input},
            "context": [{"description": one.description, "value": one.value} for one in wanted.context],
        })  # fmt: skip
    except ValidationError as exc:
        raise InvalidInput.from_pydantic(exc) from exc
    limit = get_runs_settings().max_payload_bytes
    room = limit - len(around.model_dump_json().encode()) - _ENVELOPE_BYTES
    if room <= len(json.dumps([one.model_dump(mode="json") for one in new]).encode()):
        raise InputTooLarge(limit)
    return around.model_copy(update={"messages": history_for_models(thread, room, new)})


def _tool_spec(tool: Any) -> dict[str, Any]:
    parameters = tool.parameters if isinstance(tool.parameters, dict) and tool.parameters else None
    given = {"parameters": parameters} if parameters else {}
    return {"name": tool.name, "description": tool.description} | given
