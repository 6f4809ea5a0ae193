"""How much of a transcript one event holds. Official clients refuse an event of more than ten million bytes."""

from collections.abc import Sequence

from ag_ui.core import Message

MOST_BYTES = 9_000_000
"""Of the messages: the rest is for what stands around them."""


def newest_that_fit(messages: Sequence[Message]) -> list[Message]:
    """The end of a transcript that one event can hold; its last message in any case."""
    left, begin = MOST_BYTES, len(messages)
    while begin > 0:
        left -= len(messages[begin - 1].model_dump_json(by_alias=True).encode())
        if left < 0 and begin < len(messages):
            break
        begin -= 1
    return list(messages[begin:])
