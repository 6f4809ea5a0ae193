"""What TanStack AI's client needs to see on an interrupt before it lets people answer it. Pure.

It shows an interrupt without this binding as another party's, which nobody can answer there. Other clients ignore it:
it stands in `metadata`, which is open.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from ag_ui.core import Interrupt

KEY = "tanstack:interruptBinding"
VERSION = 1


def bind(interrupts: Iterable[Interrupt], run_id: str) -> list[Interrupt]:
    """Copies that say which protocol run they interrupt. `run_id` is the one of the RUN_FINISHED that has them."""
    return [_bind(interrupt, run_id) for interrupt in interrupts]


def _bind(interrupt: Interrupt, run_id: str) -> Interrupt:
    binding: dict[str, Any] = {
        "v": VERSION, "kind": "generic", "interruptId": interrupt.id, "interruptedRunId": run_id, "generation": 0,
    }  # fmt: skip
    if interrupt.response_schema is not None:
        binding["responseSchemaHash"] = schema_hash(interrupt.response_schema)
    return interrupt.model_copy(update={"metadata": {**(interrupt.metadata or {}), KEY: binding}})


def schema_hash(schema: Any) -> str:
    """As the client computes it of what it received: members sorted, numbers as JavaScript writes them."""
    text = json.dumps(_plain(schema), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _plain(value: Any) -> Any:
    """To JavaScript 1.0 is 1."""
    if isinstance(value, dict):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
