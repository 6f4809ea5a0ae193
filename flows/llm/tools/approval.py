"""Who is asked before a tool is called, and what they decided."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal

from flows.llm.tools.definition import Tool
from flows.llm.tools.naming import shown_tool_name
from flows.llm.tools.told import denial_text
from hitl.drafts import Addressees
from hitl.endings import Deny, OnTimeout
from hitl.errors import QuestionWithdrawn
from hitl.models import Kind
from hitl.questions import Outcome, ask
from providers.messages import ToolCall
from runs.errors import InvalidOption
from runs.jobs import StepContext

Which = Literal["all", "listed", "none"]
_BODY = "`{name}` waits for approval. It is called once you approve, with the arguments as you leave them."


@dataclass(frozen=True, kw_only=True)
class Approval:
    """How people approve the tool calls of one chat: `all`, those of tools that need it (`listed`), or `none`.

    The rest is as in `hitl.questions.ask`; without `on_timeout` a missed `deadline` denies the call.
    """

    calls: Which = "listed"
    to: Addressees = ()
    quorum: int = 1
    deadline: timedelta | None = None
    on_timeout: OnTimeout | None = None
    remind_every: timedelta | None = None
    escalate_to: Addressees = ()
    escalate_after: timedelta | None = None
    starter_may_answer: bool = False

    def __post_init__(self) -> None:
        if self.calls not in ("all", "listed", "none"):
            raise InvalidOption("approve", f"is {self.calls!r}", "Use all, listed, none, or an Approval.")

    @classmethod
    def of(cls, value: "Approval | Which") -> "Approval":
        """Raises InvalidOption."""
        return value if isinstance(value, Approval) else cls(calls=value)


@dataclass(frozen=True, slots=True)
class Decision:
    """`arguments` are what the tool is called with; None where it is not called, and then `reason` says why."""

    arguments: dict[str, Any] | None
    reason: str = ""
    edited_by: str = ""


async def decide(step: StepContext, name: str, tool: Tool | None, call: ToolCall, approval: Approval) -> Decision:
    """Ask people about one call and wait. Raises QuestionExpired where `on_timeout` is Fail().

    Without a tool, which was there when the run began to ask, it asks all the same: a replay meets the same steps.
    """
    shown = shown_tool_name(call.name)
    description, schema = (tool.description, tool.parameters) if tool is not None else ("", None)
    on_timeout = approval.on_timeout or (Deny() if approval.deadline is not None else None)
    try:
        outcome = await ask(
            step, f"Call {shown}?", name=name, kind=Kind.TOOL_CALL, body=_BODY.format(name=shown),
            context={"name": call.name, "description": description, "arguments": call.arguments},
            schema=schema, to=approval.to, quorum=approval.quorum, deadline=approval.deadline,
            on_timeout=on_timeout, remind_every=approval.remind_every, escalate_to=approval.escalate_to,
            escalate_after=approval.escalate_after, starter_may_answer=approval.starter_may_answer,
        )  # fmt: skip
    except QuestionWithdrawn as exc:
        return Decision(None, denial_text({"withdrawn": exc.reason}, call.arguments))
    return _decision(call, outcome)


def _decision(call: ToolCall, outcome: Outcome) -> Decision:
    if denial := denial_text(asdict(outcome), call.arguments):
        return Decision(None, denial)
    if outcome.value is None or outcome.value == call.arguments:
        return Decision(call.arguments)
    editors = [one["by"] for one in outcome.answers if one["value"] is not None]
    return Decision(outcome.value, edited_by=" and ".join(editors) or "the deadline's policy")
