"""The state that a run shares with its client: what the client brought, and the run's own changes of it."""

import copy
from typing import Any

import jsonpatch

from perdure.agui.adapter.outlet import Outlet

_UNFIT = (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError)


class SharedState:
    def __init__(self, brought: Any) -> None:
        self.value = {} if brought is None else brought
        self._of_run: dict[str, Any] = {}
        self._was_told = False

    def begin(self) -> None:
        """Another protocol run: its first change is told as a snapshot."""
        self._was_told = False

    def tell(self, outlet: Outlet) -> None:
        self._was_told |= outlet.is_open
        outlet.state(copy.deepcopy(self.value))

    def patch(self, operations: list[dict[str, Any]], outlet: Outlet) -> None:
        """The run's own document takes every patch; where the client's state does not, the run's members win."""
        self._of_run, is_of_run = _patched(self._of_run, operations)
        value = self.value if isinstance(self.value, dict) else {}
        is_whole = not self._was_told or value is not self.value
        value, fits = _patched(value, operations)
        if not fits and not is_of_run:
            return  # after a gap of the log
        self.value = value if fits else {**value, **self._of_run}
        is_whole |= not fits
        if is_whole:
            self.tell(outlet)
        elif operations:
            outlet.state_delta(operations)


def _patched(document: dict[str, Any], operations: list[dict[str, Any]]) -> tuple[Any, bool]:
    """The document with the patch; without it, if that does not fit."""
    try:
        return jsonpatch.apply_patch(document, operations), True
    except _UNFIT:
        return document, False
