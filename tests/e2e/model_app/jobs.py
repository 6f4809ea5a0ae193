from pydantic import BaseModel

from flows.llm.chat import chat
from runs.jobs import StepContext, job


class Questions(BaseModel):
    questions: list[str]


@job("ask-model")
async def ask_model(step: StepContext, asked: Questions) -> list[str]:
    """One question after the other."""
    return [
        (await chat(step, f"answer-{number}", question)).text
        for number, question in enumerate(asked.questions, start=1)
    ]
