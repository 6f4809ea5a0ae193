"""The port to the live bus: hints and frames, never truth. It may lose, repeat or reorder: readers heal."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from django.utils.module_loading import import_string

from runs.conf import get_settings

Message = dict[str, Any]
Handler = Callable[[Message], None]

DRIVERS = "drivers"
"""Topic that every driver process listens to: interest, requests for frames, words that a run changed."""

READERS = "readers"
"""Topic that every reader process listens to: a new driver asks here who watches what."""


def reader_topic(reader: str) -> str:
    """Topic of one reader process: the doorbells and frames of all runs that it watches, many in one message."""
    return f"reader.{reader}"


class Bus(Protocol):
    """One per process and event loop. Messages are JSON-compatible dicts with a `kind`."""

    async def publish(self, topic: str, message: Message) -> None:
        """Send to every subscriber of `topic` in any process. Never raises for want of a listener."""

    async def publish_text(self, topic: str, text: str) -> None:
        """The same for a message that is encoded already, in ASCII or not."""

    async def subscribe(self, topic: str, handler: Handler) -> Callable[[], Awaitable[None]]:
        """Call `handler(message)` in this loop for each message from now on; returns the way to unsubscribe."""

    async def close(self) -> None:
        """Give back connections and tasks."""


def make_bus() -> Bus:
    """A bus for the running loop, of the class that RUNS_BUS names."""
    bus: Bus = import_string(get_settings().bus)()
    return bus
