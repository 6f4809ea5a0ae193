"""What other apps want to know of the ends of runs with a label: a registered hook, since the engine knows no app."""

from collections.abc import Callable, Mapping
from typing import Any

_functions: dict[str, Callable[..., Any]] = {}


def watch(label: str, function: Callable[..., Any]) -> None:
    """The same label replaces."""
    _functions[label] = function


def is_watched(labels: Mapping[str, str]) -> bool:
    return not _functions.keys().isdisjoint(labels)


def functions_for(labels: Mapping[str, str]) -> list[Callable[..., Any]]:
    return [function for label, function in _functions.items() if label in labels]
