"""The scenario of one run: who is asked takes an entry, in the order of the program, so the same on every replay."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from providers.scripted.entries import Entry, Unused, entries_of

JUDGE: Final = "judge"
"""The persona of every judge's entries."""


class Script:
    """Calls that run side by side take their entries before any of them begins."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._unused = Unused(entries)

    @classmethod
    def of(cls, documents: list[dict[str, Any]] | None) -> "Script | None":
        """Of a run's input. Raises InvalidScenario."""
        return cls(entries_of(documents)) if documents is not None else None

    def take(self, *personas: str) -> Entry:
        """The first unused one of any of these names, else the first without a persona. Raises ScenarioUsedUp."""
        return self._unused.take(*(name for name in personas if name))

    @property
    def left(self) -> list[dict[str, Any]]:
        """What is unused, to be handed to a sub-flow as it was given."""
        return [entry.model_dump(mode="json", exclude_unset=True) for entry in self._unused.left]

    def keep(self, left: list[Mapping[str, Any]]) -> None:
        """Only these are unused any more, after a sub-flow took some."""
        self._unused = Unused(entries_of([dict(entry) for entry in left]))
