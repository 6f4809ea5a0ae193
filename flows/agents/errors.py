"""What an agent flow can be refused for; every message ends with the remedy."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from runs.errors import RunsError

TOLD_AT_MOST = 50
_CORRECT = "Correct it as docs/howto/agent-flows.md explains."


@dataclass(frozen=True, slots=True)
class FlowProblem:
    """What is wrong in a flow and what to do about it.

    `line` counts from 1, 0 where there is no text to point at; `file` is named where it is not the flow's own.
    """

    message: str
    path: str = ""
    line: int = 0
    step: str = ""
    file: str = ""
    remedy: str = _CORRECT

    def __str__(self) -> str:
        return self.told()

    def told(self, origin: str = "") -> str:
        """`file:line: step: problem. Remedy.`, as compilers tell it."""
        file = self.file or origin
        line = f"line {self.line}" if not file else str(self.line)
        place = ":".join(part for part in (file, line if self.line else "") if part)
        where = ": ".join(part for part in (place, f"step {self.step!r}" if self.step else "") if part)
        end = "" if self.message.endswith(("?", ".")) else "."
        return f"{where + ': ' if where else ''}{self.message}{end} {self.remedy}"


class InvalidFlow(RunsError):
    """A document that is no agent flow; `problems` in the order of their lines."""

    code = "invalid_flow"

    def __init__(self, problems: Sequence[FlowProblem], origin: str = "") -> None:
        self.origin = origin
        self.problems = sorted(dict.fromkeys(problems), key=lambda one: (one.file, one.line))[:TOLD_AT_MOST]
        told = " ".join(one.told() for one in self.problems[:5])
        more = f" (And {len(problems) - 5} more.)" if len(problems) > 5 else ""
        super().__init__(f"This is no agent flow{' in ' + origin if origin else ''}: {told}{more}")

    @property
    def details(self) -> dict[str, Any]:
        return {"problems": [asdict(one) for one in self.problems]}


class FlowNotFound(RunsError):
    code = "flow_not_found"

    def __init__(self, name: object, version: object = None, near: str = "") -> None:
        which = f"{str(name)[:100]!r}" + (f" in version {str(version)[:100]!r}" if version is not None else "")
        hint = f" Did you mean {near!r}?" if near else ""
        super().__init__(f"There is no agent flow {which}.{hint} List the flows, and name one of them.")


class FlowExists(RunsError):
    code = "flow_exists"

    def __init__(self, name: str, version: str, why: str) -> None:
        super().__init__(f"Agent flow {name!r} {version!r} cannot be stored: {why}. Store it under another version.")


class GateFailed(RunsError):
    """A command that must succeed after a step still fails when its agent had its last chance."""

    code = "gate_failed"
    is_retryable = False

    def __init__(self, command: str, said: str) -> None:
        super().__init__(
            f"The quality gate {command[:200]!r} does not hold: {said}. Mend what it found in the workspace, and retry "
            "the run to have it tried again."
        )


class FlowNotWaiting(RunsError):
    code = "flow_not_waiting"

    def __init__(self, run_id: object) -> None:
        super().__init__(
            f"The flow of run {run_id} does not wait for a look at its next step. "
            "Switch single-step mode on, and let it go on when it waits."
        )


class InterruptsRefused(RunsError):
    code = "interrupts_refused"

    def __init__(self, flow: str) -> None:
        super().__init__(
            f"Agents of the flow {flow!r} are not interrupted. Send the message with the policy 'next_step', "
            "or write `interventions: interrupt` in the flow."
        )


class ScenarioNotAllowed(RunsError):
    """The scenario of a run's input was not given by code or a command, or was changed in a fork."""

    code = "scenario_not_allowed"
    is_retryable = False

    def __init__(self) -> None:
        super().__init__(
            "This run may not be answered by a scenario: it would speak for agents and judges. Leave it out, or start "
            "the flow with `manage.py flow run --scenario`."
        )
