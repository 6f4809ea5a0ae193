"""What is under way in a thread, in the words of the older front: a session, and what people are asked in it."""

from typing import Any

from flows.llm.tools.naming import shown_tool_name
from perdure.agui.compat import HUMAN_INPUT
from perdure.agui.inputs import check_id
from perdure.agui.pending import Pending, by_call_id, read_pending
from perdure.agui.threads import visible_threads
from perdure.agui.turns import current_protocol_run


def shown_session(user: Any, thread_id: str) -> dict[str, Any] | None:
    """`{sessionId, runId, threadId, state: active | paused, createdAt, hitlInfo?}`; None where nothing is under way.

    Also for a thread that is somebody else's or nobody's. Raises InvalidInput for what is no id.
    """
    thread = visible_threads(user).filter(thread_id=check_id("threadId", thread_id)).first()
    run = current_protocol_run(thread) if thread is not None else None
    if run is None:
        return None
    pending = read_pending(run.turn)
    shown = {
        "sessionId": str(run.turn_id), "runId": run.run_id, "threadId": thread_id,
        "state": "paused" if pending.interrupts else "active",
        "createdAt": run.created_at.isoformat().replace("+00:00", "Z"),
    }  # fmt: skip
    return shown | ({"hitlInfo": _asked(pending, run.run_id)} if pending.interrupts else {})


def _asked(pending: Pending, run_id: str) -> dict[str, Any]:
    """The first interrupt stands for all, as it did when there was one at a time; `interrupts` are the protocol's."""
    waiting = []
    for call_id, interrupt in by_call_id(pending.interrupts, run_id).items():
        call = pending.calls.get(interrupt.tool_call_id or "")
        shown = {"callId": call_id, "fnName": shown_tool_name(call.name) if call else HUMAN_INPUT}
        waiting.append(shown | ({"fnArguments": call.arguments} if call else {}))
    return {
        "interruptId": pending.interrupts[0].id, "toolCallId": waiting[0]["callId"], "pendingToolCalls": waiting,
        "interrupts": [one.model_dump(mode="json", by_alias=True) for one in pending.interrupts],
    }  # fmt: skip
