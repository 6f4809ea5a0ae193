"""`ask`: what a job calls to have people decide. Built on recorded steps and signals; nothing else is durable here."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from hitl import asking, endings, schemas
from hitl.asking import Draft
from hitl.endings import Approve, Deny, Fail, OnTimeout, Value
from hitl.errors import InvalidAnswer, InvalidQuestion, QuestionExpired, QuestionWithdrawn
from hitl.models import DECISIONS, Kind
from runs import clock
from runs.conf import get_settings
from runs.errors import SignalTimeout
from runs.jobs import StepContext

__all__ = ["Approve", "Deny", "Fail", "Outcome", "Value", "ask"]

MAX_TITLE = 180
MAX_QUORUM = 1000


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


class Named(Protocol):
    """A user or a group; told apart by whether it can sign in."""

    pk: Any


async def ask(
    step: StepContext,
    title: str,
    *,
    kind: str = Kind.APPROVAL,
    schema: Any = None,
    choices: Sequence[Any] = (),
    to: "Sequence[str | Named]" = (),
    quorum: int = 1,
    deadline: timedelta | None = None,
    on_timeout: OnTimeout | None = None,
    body: str = "",
    context: Any = None,
    starter_may_answer: bool = False,
    name: str | None = None,
) -> Outcome:
    """Ask people and wait for what they decide; the run holds no worker meanwhile.

    `kind`: approval, input (needs `schema`: a pydantic model or JSON Schema), choice (needs `choices`), tool_call
    (`context={"name", "arguments"}`; approving may edit the arguments), limit. `to` holds users, groups, user names
    and `group:<name>`; without it the run's team answers. `quorum` people answer; it is approved if all of them
    approve, and of choices the one named most often (the first of those) is taken. Who started the run answers only
    with `starter_may_answer`. `body` is Markdown; `context` is shown with it: JSON, or `{"diff": "..."}`. Without
    `on_timeout` a missed `deadline` fails. The steps are `<name>`, `<name>: answer` and
    `<name>: outcome`; `name` defaults to the title.

    Raises InvalidQuestion, QuestionExpired, QuestionWithdrawn, InvalidAnswer (the model refuses what the schema took).
    """
    draft = _draft(
        title, kind=kind, schema=schema, choices=list(choices), to=to, quorum=quorum, body=body, context=context,
        starter_may_answer=starter_may_answer,
    )  # fmt: skip
    at_deadline = _check_timeout(draft, deadline, on_timeout or Fail())
    label = name or title
    opened = await step.transaction(label, _open, step.run_id, label, draft, deadline)
    ended = await _wait(step, label, opened, at_deadline)
    return _outcome(opened.id, draft, ended, schema)


class Opened(BaseModel):
    """What the step that asked recorded."""

    id: str
    deadline: datetime | None


def _open(run_id: Any, label: str, draft: Draft, deadline: timedelta | None) -> Opened:
    # counted when it is recorded, so that a replay does not move it
    until = None if deadline is None else clock.now() + deadline
    return Opened(id=asking.open_question(run_id, label, replace(draft, deadline=until)), deadline=until)


async def _wait(step: StepContext, label: str, opened: Opened, at_deadline: dict[str, Any] | None) -> dict[str, Any]:
    """Until the question's row is closed; a signal that somebody else sent under its name is passed over."""
    for place in itertools.count(1):
        again = "" if place == 1 else f" {place}"
        left = None if opened.deadline is None else max(opened.deadline - clock.now(), timedelta(0))
        late = False
        try:
            await step.wait_for_signal(f"question:{opened.id}", name=f"{label}: answer{again}", timeout=left)
        except SignalTimeout:
            late = True
        ended = await step.transaction(f"{label}: outcome{again}", asking.settle, opened.id, at_deadline, late)
        if ended is not None:
            return ended
    raise AssertionError("the loop returns")


def _draft(title: str, *, schema: Any, to: "Sequence[str | Named]", **values: Any) -> Draft:
    try:
        made = schemas.schema_of(schema)
    except ValueError as exc:
        raise InvalidQuestion(title, f"has no valid schema: {exc}", "Give a pydantic model or JSON Schema.") from exc
    if isinstance(to, str):
        raise InvalidQuestion(title, "is put to one text", "Give a list of users and groups.")
    draft = Draft(title=title, schema=made, to=tuple(map(_addressee, to)), **values)
    for wrong, problem, remedy in _problems(draft):
        if wrong:
            raise InvalidQuestion(title[:MAX_TITLE], problem, remedy)
    return draft


def _problems(draft: Draft) -> list[tuple[bool, str, str]]:
    known = draft.kind in DECISIONS
    arguments = draft.context.get("arguments") if isinstance(draft.context, dict) else None
    bad_call = draft.kind == Kind.TOOL_CALL and not isinstance(arguments, dict)
    texts = (draft.title, draft.body)
    return [
        (not known, f"has the unknown kind {draft.kind!r}", f"Use one of: {', '.join(DECISIONS)}."),
        (not 1 <= len(draft.title) <= MAX_TITLE, "has no title, or one that is too long", f"Use 1 to {MAX_TITLE}."),
        (any("\0" in text for text in texts), "holds a NUL character", "Send plain text."),
        (not 1 <= draft.quorum <= MAX_QUORUM, f"has a quorum of {draft.quorum}", f"Use 1 to {MAX_QUORUM}."),
        (draft.kind == Kind.INPUT and draft.schema is None, "asks for input without a schema", "Give `schema`."),
        ((draft.kind == Kind.CHOICE) != bool(draft.choices), "needs choices", "Give `choices` to a choice, only."),
        (bad_call, "shows no tool call", 'Give `context={"name": ..., "arguments": {...}}`.'),
        (draft.kind in (Kind.APPROVAL, Kind.CHOICE) and draft.schema is not None, "takes no schema", "Use kind input."),
        (len(draft.body) > get_settings().max_payload_bytes, "has a body that is too long", "Shorten it."),
    ]


def _check_timeout(draft: Draft, deadline: timedelta | None, ending: OnTimeout) -> dict[str, Any] | None:
    if deadline is None and not isinstance(ending, Fail):
        raise InvalidQuestion(draft.title, "has an on_timeout but no deadline", "Give `deadline`.")
    try:
        outcome = endings.as_outcome(ending, DECISIONS[draft.kind])
    except ValueError as exc:
        raise InvalidQuestion(draft.title, f"cannot end with {exc}", f"Use Value or Fail for {draft.kind}.") from exc
    if isinstance(ending, Value):
        _check_ending(draft, ending.value)
    return outcome


def _check_ending(draft: Draft, value: Any) -> None:
    """The value of a missed deadline fits as one that somebody gives must."""
    if draft.kind == Kind.APPROVAL or (draft.choices and value not in draft.choices):
        raise InvalidQuestion(draft.title, "does not take the value of its on_timeout", "Give one that fits.")
    if draft.schema is not None:
        try:
            schemas.check_value(draft.schema, value)
        except InvalidAnswer as exc:
            raise InvalidQuestion(draft.title, "does not take the value of its on_timeout", str(exc)) from exc


def _addressee(one: "str | Named") -> str:
    if isinstance(one, str):
        return one
    username = getattr(one, "get_username", None)
    return str(username()) if username else asking.GROUP + str(getattr(one, "name", one))


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
