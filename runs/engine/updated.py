"""What an execution has to do with updates: it hands them over, and replays what they changed."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from runs.definitions import Job
from runs.engine.branches import Branch, current_branch
from runs.engine.calls import Policy, StepCall
from runs.engine.frontier import Frontier, Handled, load_handled
from runs.engine.history import StepRecord
from runs.engine.kernel import RunKernel
from runs.engine.state import RunState, UpdateState
from runs.engine.step import StepContext
from runs.engine.updates import Updates
from runs.engine.world import World
from runs.models import Run


class UpdatedRun(RunKernel):
    """All methods are called in the driving loop."""

    _frontier: Frontier
    _updates: Updates

    def __init__(self, run: Run, world: World) -> None:
        super().__init__(run, world)
        self._handled = Handled()
        self._takes_updates = False

    @abstractmethod
    async def perform(self, call: StepCall) -> Any:
        """One `step.*` call of the job's code that calls a function."""

    async def _load_updates(self, job: Job) -> None:
        if self.run.inbox and (job.updates or self.history.has_updates):
            self._handled = await self.read(load_handled, self.run)

    def _prepare_updates(self, job: Job, root: Branch, state: RunState) -> None:
        for path in self._handled.branches:
            self.history.excuse(path)
        self._frontier = Frontier(self.run, self.history, state, root, self._handled.effects)

        def begin(seen: dict[str, Any]) -> tuple[UpdateState, StepContext]:
            own = UpdateState(self._notes, seen)
            return own, self._context_of(job, own)

        self._updates = Updates(self, job, self._frontier, state, len(self._handled.branches), begin)
        self._takes_updates = bool(job.updates)

    def _context_of(self, job: Job, state: RunState) -> StepContext:
        return StepContext(self.run, Policy(job.retries), self, self.perform, self._notes, state)

    def _look_for_updates(self) -> None:
        if self._takes_updates:
            self._updates.look()

    async def _after_updates(self, go_on: Callable[[], None]) -> None:
        """The job's function has returned; first every update that has come is handled."""
        await self._updates.finish()
        go_on()

    @property
    def needs_to_stay(self) -> bool:
        """Whether an update is to be handled, or is being handled outside of a durable wait."""
        return self._takes_updates and self._updates.need_the_run

    def _mail_came(self) -> None:
        if self._takes_updates:
            self._updates.collect()
        super()._mail_came()

    def is_parked(self, branch: Branch) -> bool:
        """Whether a step of this branch, or of a task of it, waits durably."""
        steps = [wait.step for wait in self._waiting.load.parked.values() if wait.step is not None]
        suffix = branch.qualified("")
        return any(step.call.name.endswith(suffix) for step in steps)

    def settle(self) -> None:
        self._waiting.settle()

    def meet(self, name: str, kind: str) -> StepRecord:
        branch = current_branch()
        if branch is not None and not self.sealed and branch.is_of_update(branch.path):
            self._updates.first_step()
        record = super().meet(name, kind)
        # a call that raised before anything of it was recorded is no news: later steps are
        if branch is not None and not record.is_settled and not self.history.reach.is_ahead_of(branch):
            self._notes.forget_ahead(branch)
            self._frontier.forget_notes(branch)
        self._frontier.moved()
        return record

    async def leave_step(self) -> None:
        """A step gives its value to the job's code: first comes what updates changed meanwhile, on replay too."""
        branch = current_branch()
        if branch is not None and not self.sealed:
            if not branch.is_of_update(branch.path):
                await self._frontier.pass_out(branch)
            branch.leave_step()
            self._frontier.moved()
