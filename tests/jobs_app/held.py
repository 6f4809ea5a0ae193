"""Work that waits for the test at a certain place, so that the test can look at it there, however slow it is."""

import asyncio
from pathlib import Path

from pydantic import BaseModel


class Held(BaseModel):
    """`hold_at`: what has this number does not come before the file `gate` exists."""

    hold_at: int | None = None
    gate: str = ""

    async def hold(self, number: int) -> None:
        while number == self.hold_at and not Path(self.gate).exists():
            await asyncio.sleep(0.02)
