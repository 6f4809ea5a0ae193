"""A run that the scripted provider answers says so in its log, once: nobody is to take that for a model's word."""

import asyncio
from collections import OrderedDict
from typing import Final
from uuid import UUID

from django.db import connections

from runs.events.types import EventType
from runs.jobs import StepContext
from runs.models import Event

MESSAGE: Final = "Answers of this run come from the scripted provider, which is no model."
REMEMBERED: Final = 1_000

_told: OrderedDict[UUID, None] = OrderedDict()


async def note_scripted(step: StepContext, provider_kind: str) -> None:
    """For step functions, after an answer."""
    if provider_kind != "scripted" or step.run_id in _told:
        return
    _told[step.run_id] = None
    if len(_told) > REMEMBERED:
        _told.popitem(last=False)
    if not await asyncio.to_thread(_was_told, step.run_id):
        step.log.info(MESSAGE)


def _was_told(run_id: UUID) -> bool:
    """By another process, before the run came to this one."""
    try:
        lines = Event.objects.filter(run_id=run_id, type=EventType.LOG_WRITE, data__message=MESSAGE)
        return lines.exists()
    finally:
        connections.close_all()
