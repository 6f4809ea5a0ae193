"""`chat`: what a job calls to ask a model. Each model call and each tool call is a recorded step."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from flows.llm import turns
from flows.llm.errors import TooManyTurns
from flows.llm.model_call import ModelCall, record_call
from flows.llm.outputs import Output
from flows.llm.prices import cost_of
from flows.llm.results import ChatResult
from flows.llm.tools import naming
from flows.llm.tools.approval import Approval, Which
from flows.llm.tools.definition import Tool
from flows.llm.tools.toolbox import Toolbox
from flows.llm.usage import total
from flows.llm.vendor import Route
from providers.messages import Message, ToolCall
from providers.replies import Reply
from providers.requests import ChatRequest, ToolSpec
from runs.errors import InvalidOption
from runs.jobs import Bridged, Retry, StepContext

Messages = str | Sequence[Message | Mapping[str, Any]]

MAX_NAME: Final = 100
"""Characters: the names of the steps of its turns and tools begin with it."""

RETRIES: Final = Retry(max_attempts=5, initial=1, factor=2, maximum=60)
"""Of a model call. What another attempt cannot mend, such as a refusal, is not tried again."""


@Bridged
async def chat(
    step: StepContext,
    name: str,
    messages: Messages,
    *,
    profile: str = "default",
    override: Mapping[str, Any] | None = None,
    model: str | None = None,
    tools: Sequence[Tool | Callable[..., Any]] = (),
    client_tools: Sequence[ToolSpec] = (),
    output_type: Any = None,
    system: str | None = None,
    max_tokens: int | None = None,
    temperature: float | None = None,
    stop: Sequence[str] = (),
    approve: Approval | Which = "listed",
    max_turns: int = 10,
    on_turn: Callable[[int], None] | None = None,
    retries: Retry | int | None = None,
    timeout: timedelta | None = None,
    persona: str = "",
) -> ChatResult:
    """Ask a model and give its answer; a plain `def` job calls it without `await`.

    Step `name` is the first model call, `<name> #<n>` the n-th, after the tools that the one before it called. Each
    streams frames of text, reasoning and tool calls, records its reply, and is never asked again once that is done.
    `override` changes fields of the profile for this call. `output_type` is a type that pydantic knows, or a JSON
    Schema: the answer is JSON of it, and one that does not fit is asked for again with what is wrong. `approve` says
    which tool calls people are asked about. `client_tools` are performed by whoever talks to the model: after a turn
    that calls some of them, and the performing of its other calls, the answer has them in `pending_calls`, and a
    later chat goes on from its messages with a result for each. `on_turn(turn)` is called before each model call, from
    1 and on a replay too, for `step.progress` say. `timeout` is for each attempt, from when it has its
    slot. `persona` is who is to answer, for a scenario of the scripted provider; no vendor is told.

    Raises StepFailed (`error["type"]` tells Refused, ContextOverflow, AuthenticationFailed and others apart),
    TooManyTurns, InvalidTool, InvalidOption.
    """
    check_name(name)
    if max_turns < 1:
        raise InvalidOption("max_turns", "is less than 1", "Say how often the model may be asked.")
    toolbox = Toolbox.of(tools, client_tools, approve)
    output = Output(output_type) if output_type is not None else None
    request = ChatRequest(
        model=model, messages=_conversation(messages, system), max_tokens=max_tokens, temperature=temperature,
        tools=toolbox.specs, stop=list(stop),
        output_schema=output.schema if output else None, output_name=output.name if output else "result",
        persona=persona,
    )  # fmt: skip
    seconds = timeout.total_seconds() if timeout is not None else None
    call = ModelCall(Route(step.run_id, profile, override, seconds), request, output)
    told = on_turn or (lambda turn: None)
    return await _converse(step.options(retries=retries or RETRIES), step, name, call, toolbox, max_turns, told)


async def _converse(
    for_models: StepContext,
    for_tools: StepContext,
    name: str,
    call: ModelCall,
    toolbox: Toolbox,
    max_turns: int,
    on_turn: Callable[[int], None],
) -> ChatResult:
    conversation, replies = list(call.request.messages), list[Reply]()
    for turn in range(1, max_turns + 1):
        on_turn(turn)
        asked = ModelCall(call.route, call.request.model_copy(update={"messages": conversation}), call.output)
        reply = await record_call(for_models, naming.model_step(name, turn), asked)
        replies.append(reply)
        calls = reply.message.tool_calls
        conversation = [*conversation, reply.message]
        if not calls:
            return _result(conversation, replies, call.output)
        if turn == max_turns and not any(one.name in toolbox.clients for one in calls):
            break  # no model would read what its tools give
        performed = await turns.perform(for_tools, name, turn, calls, toolbox)
        conversation += performed.messages
        if performed.pending:
            return _result(conversation, replies, None, performed.pending)
    raise TooManyTurns(name, max_turns)


def check_name(name: str) -> None:
    """Raises InvalidOption for a name that leaves no room for those of further steps."""
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME:
        raise InvalidOption("name", f"has not 1 to {MAX_NAME} characters", "Names of further steps begin with it.")


def _conversation(messages: Messages, system: str | None) -> list[Message]:
    given: Sequence[Any] = [Message(role="user", content=messages)] if isinstance(messages, str) else messages
    first = [Message(role="system", content=system)] if system else []
    return [*first, *(Message.model_validate(message) for message in given)]


def _result(
    conversation: list[Message], replies: list[Reply], output: Output | None, pending: Sequence[ToolCall] = ()
) -> ChatResult:
    last = replies[-1]
    costs = [cost_of(reply.model, reply.usage) for reply in replies]
    known = [cost for cost in costs if cost is not None]
    text = last.message.text
    return ChatResult(
        text=text, output=output.read(text) if output else None, messages=conversation,
        usage=total(reply.usage for reply in replies), cost=round(sum(known), 10) if known else None,
        finish_reason=last.finish_reason, model=last.model, provider=last.provider_kind, turns=len(replies),
        pending_calls=list(pending),
    )  # fmt: skip
