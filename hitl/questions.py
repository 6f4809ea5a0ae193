"""`ask`: what a job calls to have people decide. Built on recorded steps and signals; nothing else is durable here."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from hitl import asking, drafts, schemas
from hitl.asking import Draft
from hitl.drafts import Addressees
from hitl.endings import Approve, Deny, Fail, OnTimeout, Value
from hitl.errors import InvalidAnswer, QuestionExpired, QuestionWithdrawn
from hitl.models import Kind
from hitl.waiting import Opened, wait_for_end
from runs import clock
from runs.jobs import Bridged, StepContext

__all__ = ["Approve", "Deny", "Fail", "Outcome", "Value", "ask"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided. `answers` holds `{"by", "decision", "value", "changes", "comment", "at"}` in order.

    `decision` is approve, deny, submit or choose. `value` is what was submitted, chosen or edited; None when an
    approval left things as they were shown.
    """

    question_id: str
    decision: str
    value: Any = None
    timed_out: bool = False
    answers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def approved(self) -> bool:
        return self.decision == "approve"

    @property
    def comment(self) -> str:
        """The comments of those who answered, a line each."""
        return "\n".join(answer["comment"] for answer in self.answers if answer["comment"])


@Bridged
async def ask(
    step: StepContext,
    title: str,
    *,
    kind: str = Kind.APPROVAL,
    schema: Any = None,
    choices: Sequence[Any] = (),
    to: Addressees = (),
    quorum: int = 1,
    deadline: timedelta | None = None,
    on_timeout: OnTimeout | None = None,
    remind_every: timedelta | None = None,
    escalate_to: Addressees = (),
    escalate_after: timedelta | None = None,
    body: str = "",
    context: Any = None,
    starter_may_answer: bool = False,
    name: str | None = None,
) -> Outcome:
    """Ask people and wait for what they decide; the run holds no worker meanwhile. A plain `def` job calls it without
    `await`.

    `kind`: approval, input (needs `schema`: a pydantic model or JSON Schema), choice (needs `choices`), tool_call
    (`context={"name", "arguments"}`; approving may edit the arguments), limit. `to` holds users, groups, user names
    and `group:<name>`; without it the run's team answers. `quorum` people answer; it is approved if all of them
    approve, and of choices the one named most often (the first of those) is taken. Who started the run answers only
    with `starter_may_answer`. `body` is Markdown; `context` is shown with it: JSON, or `{"diff": "..."}`. Without
    `on_timeout` a missed `deadline` fails. `remind_every` (a minute or more) tells those who have not answered again;
    `escalate_after` (by default half of the deadline) those in `escalate_to` may answer too. The steps are `<name>`,
    `<name>: answer` and `<name>: outcome`, and `<name>: reminder <n>` and `<name>: escalation` where they come to
    that; `name` defaults to the title.

    Raises InvalidQuestion, QuestionExpired, QuestionWithdrawn, InvalidAnswer (the model refuses what the schema took).
    """
    draft = drafts.make_draft(
        title, kind=kind, schema=schema, choices=list(choices), to=to, quorum=quorum, body=body, context=context,
        starter_may_answer=starter_may_answer, escalate_to=escalate_to,
    )  # fmt: skip
    at_deadline = drafts.outcome_at_deadline(draft, deadline, on_timeout or Fail())
    drafts.check_reminder(title, remind_every)
    times = Times(deadline, remind_every, drafts.escalation_delay(draft, escalate_after, deadline))
    label = name or title
    opened = await step.transaction(label, _open, step.run_id, label, draft, times)
    ended = await wait_for_end(step, label, opened, at_deadline)
    return _outcome(opened.id, draft, ended, schema)


@dataclass(frozen=True, slots=True)
class Times:
    """How long after asking each thing happens."""

    deadline: timedelta | None
    remind_every: timedelta | None
    escalate_after: timedelta | None


def _open(run_id: Any, label: str, draft: Draft, times: Times) -> Opened:
    now = clock.now()
    deadline, remind_at, escalate_at = (
        None if delay is None else now + delay
        for delay in (times.deadline, times.remind_every, times.escalate_after)
    )  # fmt: skip
    opened = asking.open_question(run_id, label, replace(draft, deadline=deadline, escalate_at=escalate_at))
    return Opened(
        id=opened, deadline=deadline, remind_every=times.remind_every, remind_at=remind_at, escalate_at=escalate_at
    )


def _outcome(question_id: str, draft: Draft, ended: dict[str, Any], schema: Any) -> Outcome:
    if "withdrawn" in ended:
        raise QuestionWithdrawn(draft.title, ended["withdrawn"])
    if "decision" not in ended:
        raise QuestionExpired(draft.title)
    try:
        value = schemas.typed(schema, ended["value"])
    except ValidationError as exc:
        raise InvalidAnswer.of("value", str(exc)) from exc
    return Outcome(question_id, ended["decision"], value, bool(ended.get("expired")), ended["answers"])
