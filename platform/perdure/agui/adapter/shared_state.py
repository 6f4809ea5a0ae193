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
        try:
            self._of_run = jsonpatch.apply_patch(self._of_run, operations)
        except _UNFIT:
            return  # after a gap of the log
        value = self.value if isinstance(self.value, dict) else {}
        is_whole = not self._was_told or value is not self.value
        try:
            self.value = jsonpatch.apply_patch(value, operations)
        except _UNFIT:
            self.value, is_whole = {**value, **self._of_run}, True
        if is_whole:
            self.tell(outlet)
        elif operations:
            outlet.state_delta(operations)
