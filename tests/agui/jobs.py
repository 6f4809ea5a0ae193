"""Jobs that a thread's turns are made of."""

from typing import Any

from pydantic import BaseModel, SecretStr

from flows.llm.chat import chat
from flows.llm.conversation import Conversation
from hitl.questions import ask
from providers.requests import ToolSpec
from runs.jobs import Retention, StepContext, job
from tests.llm_tools.jobs import look_up, send_mail


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


PAINT = ToolSpec(name="paint", description="Paint the page.", parameters={"type": "object"})


@job("talk-chat", agui=True)
async def talk(step: StepContext, conversation: Conversation) -> dict[str, Any]:
    """A scripted model with a free tool, one that needs approval, and one of the frontend."""
    answer = await chat(step, "draft", conversation.messages, tools=[look_up, send_mail], client_tools=[PAINT])
    step.state.set({"turns": len(conversation.messages), "by": conversation.state.get("by", "nobody")})
    return {"text": answer.text, "pending_calls": [one.model_dump() for one in answer.pending_calls]}


class SignIn(BaseModel):
    password: SecretStr
    site: str = "example.org"


@job("talk-sign-in", agui=True)
async def sign_in(step: StepContext, to: SignIn) -> str:
    return f"signed in to {to.site}"


@job("talk-and-go", agui=True, retention=Retention(delete_on_completion=True))
async def talk_and_go(step: StepContext, text: str) -> str:
    return f"You said: {text}"
