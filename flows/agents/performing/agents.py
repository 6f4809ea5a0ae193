"""`perform`: one piece of work of an agent, with everything that its step asks for."""

from flows.agents.calls import AgentCall, Answer
from flows.agents.performing import llm
from flows.llm.errors import TooManyTurns
from runs.errors import StepFailed


async def perform(call: AgentCall) -> Answer:
    """The agent's answer. What it fails with after its retries is an Answer with status error, never an exception."""
    try:
        return await llm.ask(call)
    except StepFailed as exc:
        return failed(call, str(exc.error.get("message") or exc), exc.failed_steps)
    except TooManyTurns as exc:
        return failed(call, str(exc))


def failed(call: AgentCall, error: str, steps: tuple[str, ...] = ()) -> Answer:
    """The session is that from before: what the agent said in between is not kept."""
    return Answer(status="error", session=call.session, error=error, failed_steps=steps)
