"""The work of one iteration, which a message may interrupt."""

from flows.agents import naming
from flows.agents.execution.outcome import Outcome
from flows.agents.execution.parallel import perform_all, settle_subs, unit_of
from flows.agents.execution.scene import Scene
from flows.agents.execution.steering import Interrupted, Steering
from flows.agents.execution.units import Performed, Unit
from flows.agents.spec import Step
from runs.errors import RunsError, StepFailed


class WorkFailed(RunsError):
    """An agent's failure inside of a race, so that a retry of the run races again."""

    code = "work_failed"
    is_retryable = False

    def __init__(self, outcome: Outcome) -> None:
        self.failed_steps = outcome.failed_steps
        super().__init__(outcome.error)


async def work_of(scene: Scene, steering: Steering, step: Step, work: str) -> Outcome | Interrupted:
    """What the step came to, settled in the run's state. Raises StepFailed of what is no agent's doing."""
    units = _units(scene, step, work)
    scene.sessions.begin()
    for unit in units:
        await unit.prepare()

    if step.kind in ("agent", "parallel"):
        try:
            done = await steering.interruptible(work, lambda: _perform(scene, step, units), list[Performed])
        except StepFailed as exc:
            return Outcome(status="error", error=str(exc.error.get("message")), failed_steps=exc.failed_steps)
        if isinstance(done, Interrupted):
            return done
    else:
        done = [await units[0].perform()]
    outcomes = [unit.settle(one) for unit, one in zip(units, done, strict=True)]
    return await settle_subs(scene, step, work, outcomes) if step.kind == "parallel" else outcomes[0]


async def _perform(scene: Scene, step: Step, units: list[Unit]) -> list[Performed]:
    if step.kind == "parallel":
        return await perform_all(units, step.concurrency)
    performed = await units[0].perform()
    if scene.flow.interventions == "interrupt" and performed.outcome.failed_steps:
        raise WorkFailed(performed.outcome)  # a race that ended well is not run again
    return [performed]


def _units(scene: Scene, step: Step, work: str) -> list[Unit]:
    if step.kind != "parallel":
        return [unit_of(scene, step, work)]
    for sub in step.parallel:
        scene.state.count(sub.name)
    number = scene.state.iteration
    return [unit_of(scene, sub, naming.work(number, step.name, sub.name), step) for sub in step.parallel]
