"""What frontends talk to: a model, and a step that streams at its own pace."""

import asyncio
from typing import Any

from pydantic import BaseModel

from flows.llm.chat import chat
from runs.jobs import StepContext, job


@job("tell-by-model", agui=True)
async def tell_by_model(step: StepContext, text: str) -> str:
    return (await chat(step, "answer", text)).text


class Pace(BaseModel):
    words: int
    pause_seconds: float = 0.02


@job("tell-words", agui=True)
async def tell_words(step: StepContext, pace: Pace) -> str:
    async def speak(emit: Any) -> str:
        said = []
        for number in range(pace.words):
            said.append(f"word{number} ")
            emit(said[-1])
            await asyncio.sleep(pace.pause_seconds)
        return "".join(said)

    return await step.stream("speak", speak)
