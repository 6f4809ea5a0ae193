"""The short way of an emit gives the same JSON, and refuses the same, as the way that every recorded value takes."""

import json
import tracemalloc
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from runs.engine.emitted import encode_emit
from runs.engine.payload import encode
from runs.errors import PayloadTooLarge, StorageError


class Model(BaseModel):
    name: str
    secret: SecretStr = SecretStr("hush")


@dataclass
class Point:
    x: int


_plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def _both(value: Any) -> list[Any]:
    found: list[Any] = []
    for take in (lambda: json.loads(encode_emit(value, "here")), lambda: encode(value, "here").shown):
        try:
            found.append(take())
        except (StorageError, PayloadTooLarge) as exc:
            found.append((type(exc), str(exc)))
    return found


@settings(max_examples=200, deadline=None)
@given(_plain)
def test_any_plain_value_is_the_same_both_ways(value: Any) -> None:
    short, long = _both(value)
    assert short == long


@pytest.mark.parametrize(
    "value",
    [
        Model(name="n"), Point(1), datetime(2026, 1, 2, tzinfo=UTC), uuid.UUID(int=7), {1: "one"}, (1, 2), {"a": {3}},
        2**70, "\ud800", "nul \x00", float("nan"), [float("inf")], b"bytes", object(), _nested(99), _nested(101),
        _nested(300), {"text": "**********"}, SecretStr("hush"), "x" * 1_100_000,
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_special_is_the_same_both_ways(value: Any) -> None:
    short, long = _both(value)
    assert short == long


def test_secrets_are_masked() -> None:
    assert b"hush" not in encode_emit({"model": Model(name="n")}, "here")


def test_a_frame_that_is_kept_takes_the_memory_of_its_text() -> None:
    """The bounds of a worker's buffers count text: a frame that weighed forty times as much would break them."""
    tracemalloc.start()
    try:
        kept = [encode_emit({"text": "a word", "number": number}, "here") for number in range(1000)]
        weight = tracemalloc.get_traced_memory()[0] / len(kept)
    finally:
        tracemalloc.stop()
    assert weight < len(kept[0]) + 100
