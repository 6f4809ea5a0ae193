"""How the engine's steps of an agent flow's run are called; pure, both ways.

`<i>. <step>` is the work of iteration `i`, `<i>. <step> / <sub>` that of one of its sub-steps, and `<i>. <step> again
#<n>` its repetition after a quality gate. Below an agent's stand its further turns and tools, as `flows.llm` names
them. Whatever else belongs to an iteration is a part, after a colon: `3. review: judge`, `3. review / style: judge`.
"""

import re
from dataclasses import dataclass
from typing import Final

JOB: Final = "agent-flow"
READ_DEFINITION: Final = "read the definition"
WORKSPACE: Final = "workspace"

INSTRUCTION: Final = "instruction"
JUDGE: Final = "judge"
LABEL_JUDGE: Final = "label judge"
LOOP_JUDGE: Final = "loop judge"
BLOCKED: Final = "blocked"
LIMIT: Final = "limit"
USER_INPUT: Final = "user input"
AGENT_ANSWER: Final = "answer by agent"
ABORT: Final = "abort"
SAID: Final = "said"
GO_ON: Final = "go on"
RACE: Final = "interruptible"

_NAME = r"\w[\w .-]*?"
_PLACE = re.compile(
    rf"(?P<iteration>[1-9]\d*)\. (?P<step>{_NAME})( / (?P<sub>{_NAME}))?( (?P<again>again #[1-9]\d*))?"
    r"( (?P<turn>#[1-9]\d*)|: (?P<part>.+))?",
    re.DOTALL,
)
_JUDGES = re.compile(r"(label |loop )?judge( \d+)?( again #\d+)?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an engine's step belongs. `sub` is empty outside of sub-steps, `part` for the work itself.

    Of a further turn of an agent `part` is `#<n>`, of a tool's call `<tool>#<turn>.<number>`, of a repetition `again
    #<n>`, with what stands below it after a space or colon.
    """

    iteration: int
    step: str
    sub: str = ""
    part: str = ""

    @property
    def is_work(self) -> bool:
        return not self.part

    @property
    def is_judge(self) -> bool:
        """Whether it is a judge's call: about a rule, or a loop."""
        return _JUDGES.fullmatch(self.part) is not None


def work(iteration: int, step: str, sub: str = "") -> str:
    """The work of an iteration, or of a sub-step of it."""
    return f"{iteration}. {step} / {sub}" if sub else f"{iteration}. {step}"


def again(work_name: str, number: int) -> str:
    """The work repeated after a quality gate refused it for the `number`-th time."""
    return f"{work_name} again #{number}"


def part(work_name: str, name: str, repeated: int = 0) -> str:
    """A part of an iteration; `repeated` counts how often it was asked for again, after retries of the run."""
    return f"{work_name}: {name}" + (f" again #{repeated}" if repeated else "")


def place_of(name: str) -> Place | None:
    """The place of an engine's step; None for one that belongs to no iteration."""
    found = _PLACE.fullmatch(name)
    if found is None:
        return None
    end = " ".join(filter(None, (found["again"], found["turn"])))
    if found["part"]:
        end = f"{end}: {found['part']}" if end else found["part"]
    return Place(int(found["iteration"]), found["step"], found["sub"] or "", end)
