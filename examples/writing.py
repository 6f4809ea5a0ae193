"""A streaming step that writes a text section by section, slowly enough to be seen."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from examples.pieces import pieces
from runs.jobs import Checkpoint, Emit

PIECE_CHARACTERS = 24
PIECE_SECONDS = 0.02
LONGEST_SECONDS = 12.0

Writer = Callable[[Emit, Checkpoint], Awaitable[str]]


def writer_of(sections: Sequence[str]) -> Writer:
    """A streaming step's function that writes the sections piece by piece and can go on after a crash."""
    pause = _pause_seconds(sum(map(len, sections)))

    async def write(emit: Emit, checkpoint: Checkpoint) -> str:
        done: int = checkpoint.last["sections"] if checkpoint.last else 0
        if done:
            # Readers of the lost attempt drop what they saw, so this one begins with all that was written.
            for piece in pieces("".join(sections[:done]), 64 * 1024):
                emit(piece)
        for number, section in enumerate(sections[done:], start=done + 1):
            for piece in pieces(section, PIECE_CHARACTERS):
                emit(piece)
                await asyncio.sleep(pause)
            await checkpoint({"sections": number})
        return "".join(sections)

    return write


def _pause_seconds(characters: int) -> float:
    """No text takes longer than LONGEST_SECONDS."""
    return min(PIECE_SECONDS, LONGEST_SECONDS * PIECE_CHARACTERS / max(characters, 1))
