"""A chat whose tool leaves a trace outside the database each time that it is called."""

from pathlib import Path

from pydantic import BaseModel

from flows.llm.chat import chat
from flows.llm.tools import Approval, tool
from runs.jobs import StepContext, job


@tool(needs_approval=True)
def write_note(path: str, text: str) -> str:
    """Add a line to a file of notes.

    Args:
        path: The file.
        text: The line.
    """
    with Path(path).open("a") as file:
        file.write(f"{text}\n")
    return f"noted {text!r}"


class Talk(BaseModel):
    question: str
    starter_may_answer: bool = True


@job("talk")
async def talk(step: StepContext, wanted: Talk) -> str:
    """Ask the model; people approve what it writes."""
    approval = Approval(starter_may_answer=wanted.starter_may_answer)
    return (await chat(step, "draft", wanted.question, tools=[write_note], approve=approval)).text
