"""A job that asks, and leaves a trace outside the database each time that it goes on."""

from pathlib import Path

from pydantic import BaseModel

from hitl.questions import ask
from runs.jobs import StepContext, job


class Decision(BaseModel):
    """`quorum` people of the team decide; what goes on then appends a line to `path`."""

    path: str
    quorum: int = 1
    starter_may_answer: bool = False
    body: str = ""


@job("decide")
async def decide(step: StepContext, wanted: Decision) -> list[str]:
    """Ask the team, then go on once."""
    outcome = await ask(
        step, "Go on?", quorum=wanted.quorum, starter_may_answer=wanted.starter_may_answer, body=wanted.body
    )

    def go_on() -> None:
        with Path(wanted.path).open("a") as file:
            file.write(f"{outcome.decision}\n")

    await step.run("go-on", go_on)
    return [one["by"] for one in outcome.answers]
