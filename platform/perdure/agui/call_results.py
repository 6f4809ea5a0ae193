"""Results of tool calls as the older front sent them, turned into what the run door takes: answers to interrupts, or
messages with the results of the client's own tools."""

import hashlib
import json
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from ag_ui.core import ResumeEntry, Tool, ToolMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from perdure.agui.errors import InvalidInput, InvalidSessionState, InvalidToolCallId
from perdure.agui.inputs import ID_CHARS, RunInput
from perdure.agui.models import ProtocolRun
from perdure.agui.news import pending_calls
from perdure.agui.older_inputs import resume_entry
from perdure.agui.pending import by_call_id, read_pending
from perdure.agui.transcript import settle_ended
from perdure.agui.turns import find_protocol_runs


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CallResult(_Part):
    toolCallId: str = Field(min_length=1, max_length=ID_CHARS)  # noqa: N815  (as it is sent)
    result: Any = None


class CallResults(_Part):
    """`context` may come along, as when the run was begun; the run has kept its own."""

    runId: str = Field(min_length=1, max_length=ID_CHARS)  # noqa: N815
    toolCallResults: list[CallResult] = Field(min_length=1, max_length=100)  # noqa: N815
    context: list[Any] = []


def read_call_results(user: Any, body: dict[str, Any]) -> RunInput:
    """Raises InvalidInput, RunNotFound, InvalidSessionState (nothing is waited for), InvalidToolCallId."""
    try:
        sent = CallResults.model_validate(body)
    except ValidationError as exc:
        raise InvalidInput.from_pydantic(exc) from exc
    ids = [one.toolCallId for one in sent.toolCallResults]
    if len(set(ids)) < len(ids):
        raise InvalidInput.of("toolCallResults", "hold two results of one call")
    newest = find_protocol_runs(user, sent.runId)[-1]
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    settle_ended(newest.thread)
    if waiting := pending_calls(newest.thread):
        return _messages(newest, sent, waiting, digest)
    return _answers(newest, sent, digest)


def _answers(run: ProtocolRun, sent: CallResults, digest: str) -> RunInput:
    asked = by_call_id(read_pending(run.turn).interrupts, run.run_id)
    again = ProtocolRun.objects.filter(thread=run.thread, input_digest=digest).order_by("-id").first()
    if not asked and again is None:
        raise InvalidSessionState("The run waits for no result. Read its thread to see how it stands.")
    entries = []
    for one in sent.toolCallResults:
        if again is not None:
            break  # sent once more: its events are told again
        if one.toolCallId not in asked:
            raise InvalidToolCallId(one.toolCallId, list(asked))
        entry = resume_entry({"interruptId": asked[one.toolCallId].id, "payload": one.result})
        entries.append(ResumeEntry.model_validate(entry))
    return RunInput(
        thread_id=run.thread.thread_id, run_id=again.run_id if again is not None else run.run_id,
        protocol_version=run.protocol_version, resume=entries, digest=digest,
    )  # fmt: skip


def _messages(run: ProtocolRun, sent: CallResults, waiting: list[str], digest: str) -> RunInput:
    """The next turn, with the same job and tools, under a run id of its own that is the same for the same results."""
    for one in sent.toolCallResults:
        if one.toolCallId not in waiting:
            raise InvalidToolCallId(one.toolCallId, waiting)
    made = str(uuid5(NAMESPACE_OID, f"{run.thread_id} {digest}"))
    return RunInput(
        thread_id=run.thread.thread_id, run_id=made, parent_run_id=run.run_id, job=run.thread.agent, digest=digest,
        protocol_version=run.protocol_version, tools=[Tool.model_validate(one) for one in run.input.get("tools") or []],
        messages=[
            ToolMessage(
                id=str(uuid5(NAMESPACE_OID, f"{made} {one.toolCallId}")), tool_call_id=one.toolCallId,
                content=one.result if isinstance(one.result, str) else json.dumps(one.result),
            ) for one in sent.toolCallResults
        ],
    )  # fmt: skip
