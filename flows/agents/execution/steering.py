"""People steer a flow while it runs: they have it wait after each step, tell its agents something, interrupt them.

What is told comes as an update of the job, whose change of the run's state a replay makes at the same place of the
code again: a boundary without news costs no step. Only an interrupt has to be waited for while an agent works, and an
update cannot be waited for: it comes as a signal, in a race with the agent.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from flows.agents.naming import GO_ON, RACE, SAID, part, place_of, work
from runs import jobs
from runs.jobs import Job, StepContext

T = TypeVar("T")
MOST_WAITING = 20
MOST_CHARACTERS = 10_000
INTERRUPT = "interrupt"
"""The signal that carries a message to an agent at work."""
LOOK = "continue:"
"""Signals of this name and the number of an iteration let it begin."""
TELL, SINGLE_STEP, CONTINUE = "tell", "single_step", "go_on"
TOLD, DELIVERED, STEPPING = "told", "delivered", "stepping"
"""Members of the run's state: how many messages were told, at which iteration each was delivered, the mode."""


class Message(BaseModel):
    """What somebody tells the agents of a running flow."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=MOST_CHARACTERS)


class SingleStep(BaseModel):
    """Whether the flow waits before each further step."""

    model_config = ConfigDict(extra="forbid")
    on: bool


class GoOn(BaseModel):
    """Somebody has looked: `iteration` may begin, alone or with all that follow."""

    model_config = ConfigDict(extra="forbid")
    iteration: int = Field(ge=1)
    mode: Literal["step", "run"] = "step"


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An agent's work was ended by a message."""

    message: str


class Steering:
    """How one run is steered. Made once by the loop."""

    def __init__(
        self, step: StepContext, *, single_step: bool = False, interventions: Literal["next_step", "interrupt"]
    ) -> None:
        self._step = step
        self._is_stepping = single_step
        self._can_interrupt = interventions == "interrupt"
        self._change = 0

    async def at_boundary(self, iteration: int, next_step: str) -> list[str]:
        """Before `iteration`, that of `next_step`: wait if people want to look first. The messages that were told.

        Before the first iteration nothing is waited for.
        """
        self._read_mode()
        if self._is_stepping and iteration > 1:
            await self._wait(iteration, next_step)
        return self._deliver(iteration)

    async def interruptible(self, name: str, do: Callable[[], Awaitable[T]], kind: Any) -> T | Interrupted:
        """What `do` gives, or the message that ended it; `name` is that of the work, `kind` the type that it gives.

        A replay that knows the outcome does not call `do` again: what it changes must be in what it gives.
        """
        if not self._can_interrupt:
            return await do()
        adapter: TypeAdapter[T] = TypeAdapter(kind)

        async def worked(_: StepContext) -> Any:
            return adapter.dump_python(await do(), mode="json")

        async def said(step: StepContext) -> Any:
            return await step.wait_for_signal(INTERRUPT, name=part(name, SAID))

        winner = await self._step.race(part(name, RACE), {SAID: said, "worked": worked})
        if winner.name == SAID:
            return Interrupted(text_of(winner.value))
        return adapter.validate_python(winner.value)

    def _read_mode(self) -> None:
        """The newest word counts: that of the start, of somebody who went on, or of an update since."""
        stepping = self._step.state.get(STEPPING)
        if stepping is not None and stepping["change"] > self._change:
            self._is_stepping, self._change = stepping["on"], stepping["change"]

    async def _wait(self, iteration: int, next_step: str) -> None:
        # the signal's name is of this iteration: a second click is not taken for a look at the next one
        name = part(work(iteration, next_step), GO_ON)
        answer = await self._step.wait_for_signal(continue_signal(iteration), name=name)
        self._read_mode()
        if isinstance(answer, dict) and answer.get("mode") == "run":
            self._is_stepping = False
            self._step.state.update(**{STEPPING: {"on": False, "change": self._change}})

    def _deliver(self, iteration: int) -> list[str]:
        state = self._step.state
        delivered = state.get(DELIVERED, [])
        first, last = len(delivered) + 1, state.get(TOLD, 0)
        if first > last:
            return []
        texts = [state.get(message_member(number)) for number in range(first, last + 1)]
        # a handler under way sets members of its own: these can go without being brought back by it
        kept = {name: value for name, value in state.value.items() if not name.startswith("message ")}
        state.set(kept | {DELIVERED: [*delivered, *[iteration] * len(texts)]})
        return texts


def attach(flow_job: Job) -> None:
    """Give the job of all flows its updates `tell`, `single_step` and `go_on`."""
    told = flow_job.update(_tell, name=TELL)
    flow_job.update(_single_step, name=SINGLE_STEP)
    gone_on = flow_job.update(_go_on, name=CONTINUE)
    told.validator(_not_too_many)
    gone_on.validator(_waits_for_it)


async def _tell(step: StepContext, message: Message) -> dict[str, int]:
    """Tell the agents something: it stands in the instruction of the next step."""
    number = step.state.get(TOLD, 0) + 1
    step.state.update(**{TOLD: number, message_member(number): message.text})
    return {"number": number}


async def _single_step(step: StepContext, wanted: SingleStep) -> dict[str, bool]:
    """Have the flow wait before each further step, or no longer."""
    change = step.state.get(STEPPING, {"change": 0})["change"] + 1
    step.state.update(**{STEPPING: {"on": wanted.on, "change": change}})
    return {"on": wanted.on}


async def _go_on(step: StepContext, wanted: GoOn) -> dict[str, int]:
    """Let the next step begin, once what was told before is there: an update is handled after those before it."""
    await step.run("let go on", _send, step.run_id, wanted)
    return {"iteration": wanted.iteration}


def _send(run_id: UUID, wanted: GoOn) -> None:
    name = continue_signal(wanted.iteration)
    jobs.signal(run_id, name, {"mode": wanted.mode}, idempotency_key=name)


def _not_too_many(view: Any, message: Message) -> None:
    waiting = view.state.get(TOLD, 0) - len(view.state.get(DELIVERED, []))
    if waiting >= MOST_WAITING:
        raise ValueError(f"{waiting} messages wait for the next step already. Send it when they are delivered.")


def _waits_for_it(view: Any, wanted: GoOn) -> None:
    waits = any(
        one.kind == "signal" and one.status == "running" and is_before(one.name, wanted.iteration)
        for one in view.steps.values()
    )
    if not waits:
        raise ValueError(f"the flow does not wait before iteration {wanted.iteration}. Ask where it stands")


def is_before(step: str, iteration: int) -> bool:
    """Is `step` the wait of single-step mode before this iteration?"""
    place = place_of(step)
    return place is not None and (place.iteration, place.part) == (iteration, GO_ON)


def continue_signal(iteration: int) -> str:
    return f"{LOOK}{iteration}"


def message_member(number: int) -> str:
    return f"message {number}"


def text_of(payload: Any) -> str:
    """Signals of any shape can be sent to a run."""
    text = payload.get("text") if isinstance(payload, dict) else payload
    return str(text if text is not None else "")[:MOST_CHARACTERS]
