"""`?compat=jobworkerp`: the same streams in the shape of older frontends."""

import pytest

from perdure.agui.models import Turn
from tests.agui.reading import parse
from tests.agui.test_streams import _nothing_stays_open, address, ann, read_blocks, turn, write_whole
from tests.live.people import ApiClient, Person

__all__ = ["_nothing_stays_open", "ann", "turn"]
pytestmark = pytest.mark.django_db(transaction=True)
OLDER = address() + "?compat=jobworkerp"


async def test_events_have_the_older_shape_and_ids_to_go_on_from(ann: Person, turn: Turn) -> None:
    from asgiref.sync import sync_to_async

    await sync_to_async(write_whole)(turn)
    response = await ApiClient(ann.bearer).get(OLDER)
    told = [found async for block in read_blocks(response) if (found := parse(block))]
    events = [event for _, event in told]
    assert events[0]["type"] == "RUN_STARTED"
    assert "protocolVersion" not in events[0]
    assert events[-1]["type"] == "RUN_FINISHED"
    assert events[-1]["outcome"] == "success"
    assert "".join(one["delta"] for one in events if one["type"] == "TEXT_MESSAGE_CONTENT") == "You said Hello"
    for place, (last_id, _) in enumerate(told[:-1], start=1):
        if last_id:
            again = await ApiClient(ann.bearer | {"Last-Event-ID": last_id}).get(OLDER)
            assert [parse(block) async for block in read_blocks(again)] == told[place:]
