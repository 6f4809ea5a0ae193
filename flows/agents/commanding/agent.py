"""An agent that is a program: its calls, and between them what people say to what it asks."""

from typing import Any, Final

from flows.agents.calls import AgentCall, Answer, Session
from flows.agents.commanding.attempt import Attempt, Ended
from flows.agents.commanding.errors import TooManyQuestions
from flows.agents.commanding.people import ask_people
from flows.agents.commanding.protocol import Reply
from flows.llm.tools.naming import model_step
from runs.jobs import Checkpoint, Emit, Retry

RETRIES: Final = Retry(max_attempts=3, initial=1, factor=2, maximum=60)
"""Of a call. An attempt after one that told its session goes on in it."""

MOST_QUESTIONS: Final = 50


async def ask(call: AgentCall) -> Answer:
    """What the program answers. Its first call is step `name`; `<name> #<n>` the n-th, after what it asked people in
    `<name>: asks #<n-1>`. Raises StepFailed, TooManyQuestions."""
    session, replies = call.session.id if call.session is not None else "", list[Reply]()
    for turn in range(1, MOST_QUESTIONS + 1):
        ended = await _record(call, model_step(call.name, turn), session, replies)
        session = ended.session or session
        if ended.asks is None:
            return _answer(ended, Session(id=session) if session else None)
        replies = [await ask_people(call.scene.step, f"{call.name}: asks #{turn}", ended.asks)]
    raise TooManyQuestions(call.persona.command, MOST_QUESTIONS)


async def _record(call: AgentCall, name: str, session: str, replies: list[Reply]) -> Ended:
    async def attempt(emit: Emit, checkpoint: Checkpoint) -> dict[str, Any]:
        return await Attempt(call, session, replies, emit, checkpoint).ended()

    recorded = await call.scene.step.options(retries=RETRIES).stream(name, attempt)
    return Ended.model_validate(recorded)


def _answer(ended: Ended, session: Session | None) -> Answer:
    return Answer(
        status=ended.status, content=ended.content, structured=ended.structured, session=session, error=ended.error
    )
