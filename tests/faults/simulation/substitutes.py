"""What stands in for time, chance, new ids and doorbells while a simulation runs."""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

import uuid_utils.compat
from django.apps import apps

from runs import clock
from runs.events import doorbell

Ring = Callable[..., None]


@contextmanager
def substituted(seed: int, seconds: Callable[[], float], ring: Ring) -> Iterator[None]:
    """Inside, nothing that the engine reads of its surroundings differs between two runs of one seed."""
    before = random.getstate()
    waits = SimpleNamespace(monotonic=seconds, sleep=lambda seconds: None)
    with ExitStack() as stack:
        stack.enter_context(clock.driven_by(seconds))
        for name in ("runs.engine.writer", "runs.engine.transactional"):
            stack.enter_context(patch.object(sys.modules[name], "time", waits, create=True))
        _replace(stack, "uuid7", uuid_utils.compat.uuid7, new_id := _ids(seed))
        _replace(stack, "ring", doorbell.ring, ring)
        _replace_defaults(stack, new_id)
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(before)


def _ids(seed: int) -> Callable[[], UUID]:
    numbers, order = Random(f"ids {seed}"), iter(range(1, 1_000_000))
    # in order of their making, as those of version 7 are
    return lambda: UUID(int=(next(order) << 80) | (7 << 76) | (0x8 << 60) | numbers.getrandbits(60))


def _replace(stack: ExitStack, name: str, original: Any, substitute: Any) -> None:
    """In every module of the engine that has imported it under this name."""
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("runs.") and vars(module).get(name) is original:
            stack.enter_context(patch.object(module, name, substitute))


def _replace_defaults(stack: ExitStack, new_id: Callable[[], UUID]) -> None:
    for model in apps.get_app_config("runs").get_models():
        for field in model._meta.fields:
            if field.default is uuid_utils.compat.uuid7:
                stack.enter_context(patch.object(field, "_get_default", new_id))
