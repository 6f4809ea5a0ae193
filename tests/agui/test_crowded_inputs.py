"""A small body can hold a million wrong entries: none of them is looked at one by one."""

from typing import Any

import pytest

from perdure.agui.errors import InvalidInput
from perdure.agui.inputs import ENTRIES_AT_MOST, read_run_input


def message(number: int) -> dict[str, Any]:
    return {"id": f"m{number}", "role": "user", "content": "a"}


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [1] * 1_000_000},
        {"messages": [{"id": "1", "role": "user", "content": [{}] * 1_000_000}]},
        {"messages": [{"id": "1", "role": "assistant", "toolCalls": [1] * 1_000_000}]},
        {"tools": [{}] * 1_000_000},
        {"context": [{"type": "custom"}] * 1_000_000},
        {"resume": [{}] * 1_000_000},
        {"resume": {"payload": {"type": "approve", "toolResults": [1] * 1_000_000}}},
    ],
    ids=lambda body: str(body)[:60],
)
def test_millions_of_entries_are_refused_at_once(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_run_input({"threadId": "t", "runId": "r", "messages": [], **body})
    assert [one["field"] for one in refused.value.fields] == ["body"]


def test_a_long_transcript_and_a_large_state_are_taken() -> None:
    messages = [message(number) for number in range(ENTRIES_AT_MOST - 1)]
    body = {"messages": messages, "state": {"rows": [0] * 100_000}, "forwardedProps": {"rows": [0] * 100_000}}
    read = read_run_input(body)
    assert len(read.messages) == ENTRIES_AT_MOST - 1
