"""How a protocol run begins, and what its client understands."""

import re
from dataclasses import dataclass

from ag_ui.core import RunAgentInput


@dataclass(frozen=True, slots=True)
class Opening:
    """`protocol_version` is what the client declared, empty for one of 0.x, which declares nothing.

    `input` is echoed to the client. With `snapshots` it is first told the state and the messages, as one needs that
    was not there before.
    """

    thread_id: str
    run_id: str
    parent_run_id: str | None = None
    protocol_version: str = ""
    input: RunAgentInput | None = None
    snapshots: bool = False

    @property
    def speaks_1_0(self) -> bool:
        """Clients of 0.x die of outcomes that they do not know."""
        return re.match(r"[1-9]", self.protocol_version) is not None
