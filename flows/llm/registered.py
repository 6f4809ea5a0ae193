"""What apps register under a name, for documents to call by it. A document imports nothing."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from runs.errors import RunsError

T = TypeVar("T")
MAX_NAME = 200


class RegistrationRefused(RunsError):
    """A name for functions or tools that is taken, or no name."""

    code = "registration_refused"

    def __init__(self, kind: str, name: object, problem: str) -> None:
        super().__init__(f"{kind} {str(name)[:100]!r} {problem}. Register it under another name.")


class NotRegistered(RunsError):
    """A function or tool that a document names and this process does not have."""

    code = "not_registered"

    def __init__(self, kind: str, name: object) -> None:
        super().__init__(f"There is no {kind} {str(name)[:100]!r} here. Register it in an app's jobs.py and deploy it.")


class Registered(Generic[T]):
    """By name; `kind` is what errors call one."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._found: dict[str, T] = {}
        self._places: dict[str, tuple[str, str]] = {}

    def add(self, name: str, one: T, function: Callable[..., Any]) -> None:
        """A module that is loaded again replaces its own. Raises RegistrationRefused."""
        if not name or not name.isprintable() or len(name) > MAX_NAME:
            raise RegistrationRefused(self._kind, name, "is no name")
        place = (function.__module__, function.__qualname__)
        if self._places.get(name, place) != place:
            raise RegistrationRefused(self._kind, name, "is registered by another module")
        self._found[name], self._places[name] = one, place

    def get(self, name: str) -> T:
        """Raises NotRegistered."""
        if name not in self._found:
            raise NotRegistered(self._kind, name)
        return self._found[name]

    def forget(self, name: str) -> None:
        """For tests, which register what no other test shall see."""
        self._found.pop(name, None)
        self._places.pop(name, None)

    def all(self) -> dict[str, T]:
        return dict(self._found)

    @property
    def names(self) -> list[str]:
        return sorted(self._found)
