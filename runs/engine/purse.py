"""What one execution knows of the budgets that its run spends from: the step boundary asks it before an attempt begins.

Only runs with a budget in their ancestry have one. A run that spends alone adds up in memory what its own transitions
have written; of a budget that others share each boundary reads what those have spent.
"""

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from runs import clock
from runs.engine.mailbox import Mailbox
from runs.engine.ports import OpenStep
from runs.engine.store.balances import Balance, Total, read_balances
from runs.engine.store.limits import Met, meet
from runs.engine.store.spent import NOTHING, Spent
from runs.errors import BudgetExceeded
from runs.models import Run, Spending


class Driving(Protocol):
    """The execution, as its budgets see it."""

    @property
    def token(self) -> int: ...
    @property
    def mailbox(self) -> Mailbox: ...
    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any: ...
    async def park(
        self, until: datetime | None, reason: str, step: OpenStep | None = None, on_mail: bool = False
    ) -> None: ...


class SharedPurse:
    """All methods are called in the driving loop."""

    def __init__(self, kernel: Driving, run: Run) -> None:
        self._kernel, self._run = kernel, run
        self._mailbox = kernel.mailbox
        self._loading = asyncio.Lock()
        self._adding = threading.Lock()  # a transaction ends in a thread
        self._known: list[Balance] | None = None
        self._before = Total()
        self._spent = NOTHING  # in this execution, with steps that are not written yet
        self._may_share = False

    def share(self) -> None:
        """The run has children, or gets one: they spend, too."""
        self._may_share = True

    def add(self, spent: Spent) -> None:
        """What a transition of this execution writes; its steps were counted when they were let in."""
        with self._adding:
            self._spent = self._spent.plus(spent._replace(steps=0))

    async def admit(self, step: OpenStep, is_new: bool) -> None:
        """Let an attempt begin, or wait until more is granted. Raises BudgetExceeded where that was denied."""
        while (reached := await self._reached(is_new)) is not None:
            balance, name, total = reached
            budget_of, limit = balance.allowance.run_id, balance.limits[name]
            await self._mailbox.look()  # while there is mail to be read nothing parks
            seen = self._mailbox.inbox
            met = await self._kernel.in_thread(meet, self._run.id, self._kernel.token, budget_of, name, total)
            if met is Met.DENIED:
                raise BudgetExceeded.of(step.call.name, name, total.amount(name), limit.hard)
            if met is Met.PARK:
                if self._mailbox.inbox == seen:  # else another branch has read meanwhile what may be the grant
                    await self._kernel.park(None, f"budget {name}", step, on_mail=True)
            else:
                self._known = None  # it was warned of, or more was granted: read it again
        with self._adding:
            self._spent = self._spent.plus(Spent(steps=int(is_new)))

    async def _reached(self, is_new: bool) -> tuple[Balance, str, Total] | None:
        """The first limit of which something is to be told."""
        for balance in await self._balances():
            total = self._own().plus(balance.others)
            for name, limit in balance.limits.items():
                if name == "steps" and not is_new:
                    continue  # it was counted at its first attempt
                if total.reaches(name, limit.hard):
                    return balance, name, total
                if total.reaches(name, limit.soft) and balance.allowance.warned.get(name) != limit.soft:
                    return balance, name, total
        return None

    def _own(self) -> Total:
        began_at, worked = self._run.claimed_at, 0
        if began_at is not None:
            worked = max(0, int((clock.now() - began_at).total_seconds() * 1000))
        return self._before.plus(Total(*self._spent, worked))

    async def _balances(self) -> list[Balance]:
        async with self._loading:
            known = self._known
            if known is None or self._may_share or any(one.is_shared for one in known):
                await self._mailbox.look()  # the unload is conditional on this inbox, read before the balances are
                known = await self._kernel.in_thread(self._read)
            self._known = known
        return known

    def _read(self) -> list[Balance]:
        """In a thread. What the run itself had spent before stays as it was: nobody else writes that."""
        assert self._run.budget_of is not None
        if self._known is None and self._spent == NOTHING:
            row = Spending.objects.filter(run_id=self._run.id).first()
            if row is not None:
                self._before = Total(row.tokens, row.cost, row.steps, row.active_ms + self._run.active_ms)
        return read_balances(self._run.id, self._run.budget_of)
