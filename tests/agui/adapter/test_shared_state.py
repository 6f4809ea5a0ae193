"""The state that a run and its client share."""

from typing import Any

import pytest

from runs.events.types import EventType
from tests.agui.adapter.readers import Reader
from tests.agui.adapter.story import Story
from tests.agui.adapter.wire import on_the_wire


def told(brought: Any, *patches: list[dict[str, Any]]) -> tuple[list[Any], Any]:
    story = Story()
    for patch in patches:
        story.write(EventType.STATE_PATCH, patch=patch)
    reader = Reader(state=brought).read(story.told)
    return [event.get("snapshot", event.get("delta")) for event in on_the_wire(reader.events)[1:]], reader.adapter.state


def test_its_first_change_is_told_whole_and_the_next_ones_alone() -> None:
    second: list[dict[str, Any]] = [
        {"op": "replace", "path": "/x", "value": None},
        {"op": "move", "from": "/y", "path": "/z"},
    ]
    events, state = told({"y": 1}, [{"op": "add", "path": "/x", "value": 2}], second)
    assert events == [{"y": 1, "x": 2}, second]
    assert state == {"x": None, "z": 1}


@pytest.mark.parametrize("brought", [None, "text", [1]])
def test_a_client_that_brought_no_object_gets_the_runs(brought: Any) -> None:
    assert told(brought, [{"op": "add", "path": "/x", "value": 2}])[0] == [{"x": 2}]


def test_what_does_not_fit_what_the_client_brought_is_told_whole() -> None:
    add, replace = {"op": "add", "path": "/list", "value": [1]}, {"op": "add", "path": "/list/1", "value": 2}
    events, _ = told({}, [add], [replace], [{"op": "remove", "path": "/gone"}])
    assert events == [{"list": [1]}, [replace]], "a patch after a gap of the log changes nothing"
    events, state = told(
        {"list": "mine"}, [{"op": "add", "path": "/other", "value": 1}], [{"op": "test", "path": "/other", "value": 1}]
    )
    assert state == {"list": "mine", "other": 1}
    assert events[0] == state
