"""`perform`: one piece of work of an agent, with everything that its step asks for."""

from dataclasses import replace

from flows.agents.calls import AgentCall, Answer
from flows.agents.commanding import agent as commanding
from flows.agents.commanding.errors import TooManyQuestions
from flows.agents.performing import gates, llm, reports, structured
from flows.agents.performing.blocked import blocked_text
from flows.llm.errors import TooManyTurns
from flows.llm.tools.errors import InvalidTool
from runs.errors import ArtifactTooLarge, InvalidArtifact, StepFailed


async def perform(call: AgentCall) -> Answer:
    """The agent's answer, with its structured output and its reports, once the step's quality gates hold.

    What fails after its retries is an Answer with status error. What ends or suspends the run is raised, and so is
    BudgetExceeded: no other step could ask a model either.
    """
    try:
        return await _performed(call)
    except StepFailed as exc:
        return _failed(call, str(exc.error.get("message") or exc), exc.failed_steps)
    except (TooManyTurns, TooManyQuestions, InvalidTool, InvalidArtifact, ArtifactTooLarge) as exc:
        return _failed(call, str(exc))


async def _performed(call: AgentCall) -> Answer:
    answer = await ask(call)
    if answer.status == "done":
        answer = await gates.hold(call, answer, ask)
    if answer.status == "done":
        answer = await structured.complete(call, answer, ask_for_json)
    return answer if answer.status == "error" else await reports.keep(call, answer)


async def ask(call: AgentCall) -> Answer:
    """One asking, of a model or of a program. Raises StepFailed, TooManyTurns, TooManyQuestions."""
    if not _is_program(call):
        return await llm.ask(call)
    answer = await commanding.ask(call)
    blocked = blocked_text(answer.content) if answer.status == "done" else None
    return answer if blocked is None else replace(answer, status="blocked", content=blocked)


async def ask_for_json(call: AgentCall) -> Answer:
    """A value of the step's output_schema alone: a program is told so, a model is held to it. Raises as `ask` does."""
    return await (commanding.ask(call) if _is_program(call) else llm.ask_for_json(call))


def _is_program(call: AgentCall) -> bool:
    """A script answers in place of any agent."""
    return call.persona.agent == "command" and call.entry is None


def _failed(call: AgentCall, error: str, steps: tuple[str, ...] = ()) -> Answer:
    """The session is that from before: what the agent said in between is not kept."""
    return Answer(status="error", session=call.session, error=error, failed_steps=steps)
