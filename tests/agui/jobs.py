"""Jobs that a thread's turns are made of."""

from hitl.questions import ask
from runs.jobs import StepContext, job


@job("talk-echo", agui=True)
async def echo(step: StepContext, text: str) -> str:
    async def say() -> str:
        return f"You said: {text}"

    if text == "fail":
        raise ValueError("as asked")
    return await step.run("answer", say)


@job("talk-ask", agui=True)
async def ask_first(step: StepContext, text: str) -> str:
    """Two questions, one after the other."""
    first = await ask(step, "first?", starter_may_answer=True, to=[text])
    second = await ask(step, "second?", starter_may_answer=True, to=[text])
    return f"{first.decision} {second.decision}"
