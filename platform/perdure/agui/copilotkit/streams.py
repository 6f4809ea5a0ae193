"""What CopilotKit's client is streamed: a run, and a thread that it connects to."""

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

from ag_ui.core import PROTOCOL_VERSION, RunFinishedEvent, RunFinishedInterruptOutcome
from django.http.response import HttpResponseBase

from perdure.agui.access import AguiViewer
from perdure.agui.answering import answer_request
from perdure.agui.copilotkit.agents import DEFAULT, get_agent
from perdure.agui.copilotkit.operations import Call
from perdure.agui.encoding import Told, encode_json, stream_response
from perdure.agui.errors import ThreadNotFound
from perdure.agui.inputs import RunInput, read_run_input
from perdure.agui.models import ProtocolRun, Thread
from perdure.agui.off_loop import in_thread
from perdure.agui.stream import Batches, open_stream
from perdure.agui.threads import get_thread
from perdure.agui.transcript import settle_ended
from perdure.agui.turns import current_protocol_run, read_boundaries


async def run(call: Call, agent_id: str) -> HttpResponseBase:
    """As `POST /ag-ui/run`, with the agent of the address."""
    return await answer_request(call.request, call.user, lambda: _wanted(call, agent_id))


async def connect(call: Call, agent_id: str) -> HttpResponseBase:
    """All that a thread's runs told, one after the other, then what goes on; nothing where there is no such thread."""
    wanted = await in_thread(read_run_input, dict(call.body))
    rows = await in_thread(_all_runs, call, agent_id, wanted)
    if not rows:
        return stream_response(_nothing())
    told = await open_stream(AguiViewer.of_request(call.request), rows, joins=True)
    return stream_response(told if wanted.protocol_version else _for_older_clients(told))


async def events(call: Call, thread_id: str) -> HttpResponseBase | dict[str, Any]:
    """What the runs that are over told, for its inspector."""
    rows = await in_thread(_runs_that_are_over, call, thread_id)
    found: list[Any] = []
    if rows:
        async for batch in await open_stream(AguiViewer.of_request(call.request), rows, joins=True):
            found += [json.loads(encode_json(told.event)) for told in batch]
    return {"events": found}


async def _for_older_clients(told: Batches) -> Batches:
    """Runs that were stopped end like others: a page that is loaded anew shows every error of its history."""
    try:
        async for batch in told:
            yield [Told(one.id, _older(one.event)) for one in batch]
    finally:
        await told.aclose()


def _older(event: Any) -> Any:
    if not isinstance(event, RunFinishedEvent) or isinstance(event.outcome, RunFinishedInterruptOutcome):
        return event
    return event.model_copy(update={"outcome": None})


def _wanted(call: Call, agent_id: str) -> RunInput:
    """A workflow that the input names counts for the default agent alone: the address names the others."""
    agent, wanted = get_agent(agent_id), read_run_input(dict(call.body))
    return wanted if agent_id == DEFAULT and wanted.workflow else replace(wanted, job=agent.name, workflow=None)


def _all_runs(call: Call, agent_id: str, wanted: RunInput) -> list[ProtocolRun]:
    """In order, told as to a client of today: it is told in the version of the one that asks, whoever began them."""
    get_agent(agent_id)
    try:
        thread = get_thread(call.user, wanted.thread_id)
    except ThreadNotFound:
        return []
    current_protocol_run(thread)  # a turn that went on by an answer in the inbox gets its run
    rows = _rows(thread)
    for row in rows:
        row.protocol_version = wanted.protocol_version or PROTOCOL_VERSION
    return rows


def _runs_that_are_over(call: Call, thread_id: str) -> list[ProtocolRun]:
    thread = get_thread(call.user, thread_id)
    current = current_protocol_run(thread)
    rows = _rows(thread)
    if current is not None and read_boundaries(current.turn).first_after(current.after_sequence) is None:
        return [row for row in rows if row.pk != current.pk]
    return rows


def _rows(thread: Thread) -> list[ProtocolRun]:
    settle_ended(thread)  # one that ended without a client gets its last run
    found = ProtocolRun.objects.filter(thread=thread).select_related("turn__run", "turn__thread", "thread")
    return list(found.order_by("id"))


async def _nothing() -> AsyncGenerator[list[Told], None]:
    nothing: list[list[Told]] = []
    for batch in nothing:
        yield batch
