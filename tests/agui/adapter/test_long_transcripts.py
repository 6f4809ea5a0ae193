"""Official clients refuse an event of more than ten million bytes: a long transcript is told without its beginning."""

from uuid import UUID

from ag_ui.core import Message, MessagesSnapshotEvent, UserMessage

from perdure.agui.adapter import Adapter, Opening
from perdure.agui.encoding import Told, encode_sse

RUN = UUID(int=1)
LIMIT = 10_000_000


def snapshot_of(messages: list[Message]) -> MessagesSnapshotEvent:
    begun = Adapter(RUN, messages).begin(Opening("t1", "r1", protocol_version="1.0", snapshots=True))
    (found,) = [event for event in begun if isinstance(event, MessagesSnapshotEvent)]
    return found


def test_a_snapshot_is_no_longer_than_clients_read() -> None:
    said: list[Message] = [UserMessage(id=f"u{number}", content="ä" * 500_000) for number in range(12)]
    told = snapshot_of(said)
    assert len(encode_sse(Told("", told))) < LIMIT
    assert told.messages == said[-len(told.messages) :]
    assert len(told.messages) >= 7


def test_the_last_message_is_told_however_long_it_is() -> None:
    said: list[Message] = [UserMessage(id="u1", content="x" * LIMIT), UserMessage(id="u2", content="x" * LIMIT)]
    assert snapshot_of(said).messages == said[1:]
