"""Ids of messages and calls: made from the run's own names, so that every reader of a run gives the same ones.

Vendors' ids of calls are no use on the wire: some begin anew with each answer (`call_1`), and an id that is opened
again means that its content is appended.
"""

from uuid import UUID, uuid5


def message_id(run: UUID, step: str, attempt: int) -> str:
    """Of what one attempt of a streaming step says."""
    return str(uuid5(run, f"{step}#{attempt}"))


def reasoning_id(run: UUID, step: str) -> str:
    """One for all attempts: a snapshot can empty a message of reasoning, but cannot take away the only one."""
    return str(uuid5(run, f"reasoning:{step}"))


def call_id(run: UUID, step: str, attempt: int, vendor_id: str, repeated: int = 0) -> str:
    """`repeated`: how many calls of the same answer had the vendor's id before."""
    name = f"call:{step}#{attempt}:{vendor_id}"
    return str(uuid5(run, f"{name}:{repeated}" if repeated else name))


def result_id(run: UUID, tool_call_id: str) -> str:
    return str(uuid5(run, f"result:{tool_call_id}"))


def output_id(run: UUID) -> str:
    return str(uuid5(run, "output"))


def progress_id(run: UUID) -> str:
    return str(uuid5(run, "progress"))
