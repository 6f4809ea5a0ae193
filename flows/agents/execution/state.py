"""What a run of a flow knows so far. All of it is recomputed on a replay from what is recorded."""

from dataclasses import dataclass, field
from typing import Any, Literal

from flows.agents.spec import Step

Status = Literal["done", "blocked", "error"]

MOST_USER_INPUTS = 100
LONGEST_USER_INPUT = 10_000


@dataclass(frozen=True, slots=True)
class StepOutput:
    """What the newest iteration of a step gave. `output` is the JSON of a step that is no agent's.

    `matched` is the condition of the rule that matched, None before that or where none did.
    """

    status: Status
    content: str
    structured: Any = None
    output: Any = None
    matched: str | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """How the next step was chosen after an iteration; `condition` is None where no rule was."""

    step: str
    condition: str | None
    method: str


@dataclass
class FlowState:
    """`iteration` counts from 1 over the whole run; 0 before the first.

    `outputs` hold the newest of each step and sub-step, the last that ended at the end. `previous` is what the step
    before this one said, None before the first. `answers` are what people gave in steps that ask them, `reports` the
    newest content by name. `spent` counts what `max_steps` limits: iterations of this run and of those it called.
    `answers_in_a_row` count what an agent answered to a step, by name, since people did or the step went on.
    """

    max_steps: int | None = None
    iteration: int = 0
    spent: int = 0
    granted: int = 0
    step: str = ""
    step_iterations: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, StepOutput] = field(default_factory=dict)
    previous: str | None = None
    user_inputs: list[str] = field(default_factory=list)
    structured: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    reports: dict[str, str] = field(default_factory=dict)
    matched: list[Matched] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    answers_in_a_row: dict[str, int] = field(default_factory=dict)

    def begin(self, step: Step) -> int:
        """A new iteration; its number. A step that calls another flow spends none of its own."""
        self.iteration += 1
        self.spent += step.kind != "flow"
        self.step = step.name
        self.path.append(step.name)
        self.count(step.name)
        return self.iteration

    def count(self, name: str) -> None:
        """One more iteration of a step or sub-step."""
        self.step_iterations[name] = self.step_iterations.get(name, 0) + 1

    def keep(self, name: str, output: StepOutput) -> None:
        """The output of a step or sub-step, as the last one."""
        self.outputs.pop(name, None)
        self.outputs[name] = output
        if output.structured is not None:
            self.structured[name] = output.structured

    def count_agent_answer(self, name: str) -> None:
        """An agent answered in place of people; `answers_in_a_row` loses the step with the next that is theirs."""
        self.answers_in_a_row[name] = self.answers_in_a_row.get(name, 0) + 1

    def add_user_input(self, text: str) -> None:
        self.user_inputs.append(text[:LONGEST_USER_INPUT])
        del self.user_inputs[:-MOST_USER_INPUTS]
