"""What of a client's messages is new, and counts. The server's transcript is the truth, and a client's copy proves
nothing: only what the user says now, and results of calls that wait for the client, are taken."""

from collections.abc import Sequence

from ag_ui.core import Message, ToolMessage, UserMessage

from perdure.agui.errors import InvalidInput, InvalidToolCallId
from perdure.agui.models import ProtocolRun, Thread, Turn
from runs.models import RunStatus

NEW_AT_MOST = 1_000
"""Messages that somebody says at a moment: writing a body full of them holds the database for many seconds."""


def new_messages(thread: Thread, messages: Sequence[Message]) -> list[Message]:
    """The results of the client's own tools, then what the user says, of those after the last that the thread has.

    A result counts wherever it stands: a client that performed its tool while people were still asked about another
    call puts it before what the thread has since.
    Messages of assistants and systems, and results of calls that wait for none, are left out. Raises
    InvalidToolCallId where nothing but such results is new: an approval of what was never asked, say.
    """
    known = _known_ids(thread, messages)
    last = max((place for place, one in enumerate(messages) if one.id in known), default=-1)
    sent = messages[last + 1 :]
    waiting = pending_calls(thread)
    results: dict[str, Message] = {}
    for one in messages:
        if isinstance(one, ToolMessage) and one.tool_call_id in waiting and one.id not in known:
            results.setdefault(one.tool_call_id, one)
    strays = [one.tool_call_id for one in sent if isinstance(one, ToolMessage) and one.tool_call_id not in waiting]
    said = [one for one in sent if isinstance(one, UserMessage) and one.content]
    if strays and not said and not results:
        raise InvalidToolCallId(strays[0], waiting)
    if len(said) > NEW_AT_MOST:
        raise InvalidInput.of("messages", f"hold more than {NEW_AT_MOST} that are new; say the last ones")
    return [*results.values(), *said]


def pending_calls(thread: Thread) -> list[str]:
    """Ids of the calls of the client's own tools that the last turn ended with."""
    turn = thread.turns.order_by("-number").first()
    if turn is None or turn.status != RunStatus.COMPLETED:
        return []
    tools = _client_tools(turn)
    said = thread.messages.filter(turn=turn, role="assistant").values_list("data", flat=True)
    calls = [call for data in said for call in data.get("toolCalls") or []]
    answered = set(
        thread.messages.filter(role="tool", turn__number__gte=turn.number).values_list("data__toolCallId", flat=True)
    )
    return [call["id"] for call in calls if call["function"]["name"] in tools and call["id"] not in answered]


def _client_tools(turn: Turn) -> set[str]:
    """Those that the turn began with: a call of any other was the server's."""
    first = ProtocolRun.objects.filter(turn=turn).order_by("id").values_list("input", flat=True).first() or {}
    return {tool["name"] for tool in first.get("tools") or []}


def _known_ids(thread: Thread, messages: Sequence[Message]) -> set[str]:
    ids = [one.id for one in messages]
    return set(thread.messages.filter(message_id__in=ids).values_list("message_id", flat=True))
