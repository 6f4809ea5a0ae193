"""What a job may ask: the checks before a question is opened. All raise InvalidQuestion."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

from hitl import endings, schemas
from hitl.asking import GROUP, Draft
from hitl.endings import Fail, OnTimeout, Value
from hitl.errors import InvalidAnswer, InvalidQuestion
from hitl.models import DECISIONS, Kind
from runs.conf import get_settings

MAX_TITLE = 180
MAX_QUORUM = 1000
SHORTEST_REMINDER = timedelta(minutes=1)


class Named(Protocol):
    """A user or a group; told apart by whether it can sign in."""

    pk: Any


Addressees = Sequence[str | Named]


def make_draft(title: str, *, schema: Any, to: Addressees, escalate_to: Addressees, **values: Any) -> Draft:
    """The question as its row will hold it, but for its times."""
    try:
        made = schemas.schema_of(schema)
    except ValueError as exc:
        raise InvalidQuestion(title, f"has no valid schema: {exc}", "Give a pydantic model or JSON Schema.") from exc
    if isinstance(to, str) or isinstance(escalate_to, str):
        raise InvalidQuestion(title, "is put to one text", "Give a list of users and groups.")
    draft = Draft(
        title=title, schema=made, to=tuple(map(_addressee, to)), escalate_to=tuple(map(_addressee, escalate_to)),
        **values,
    )  # fmt: skip
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
        (
            draft.schema is not None and schemas.asks_for_secret(draft.schema),
            "asks for a secret, but answers are shown",
            "Ask for the name of an entry in a secret store, and read the secret in the step that uses it.",
        ),
        (len(draft.body) > get_settings().max_payload_bytes, "has a body that is too long", "Shorten it."),
    ]


def outcome_at_deadline(draft: Draft, deadline: timedelta | None, ending: OnTimeout) -> dict[str, Any] | None:
    """The outcome when nobody decides in time; None: it fails."""
    if deadline is None and not isinstance(ending, Fail):
        raise InvalidQuestion(draft.title, "has an on_timeout but no deadline", "Give `deadline`.")
    try:
        outcome = endings.as_outcome(ending, DECISIONS[draft.kind])
    except ValueError as exc:
        raise InvalidQuestion(draft.title, f"cannot end with {exc}", f"Use Value or Fail for {draft.kind}.") from exc
    if isinstance(ending, Value):
        _check_ending(draft, ending.value)
    return outcome


def check_reminder(title: str, every: timedelta | None) -> None:
    if every is not None and every < SHORTEST_REMINDER:
        raise InvalidQuestion(title, f"reminds every {every}", "Use a minute or more.")


def escalation_delay(draft: Draft, after: timedelta | None, deadline: timedelta | None) -> timedelta | None:
    """How long after asking it escalates: as the job says, else after half of the deadline."""
    if not draft.escalate_to:
        if after is not None:
            raise InvalidQuestion(draft.title, "escalates to nobody", "Give `escalate_to`.")
        return None
    if after is None and deadline is None:
        raise InvalidQuestion(draft.title, "does not say when to escalate", "Give `escalate_after` or `deadline`.")
    delay = after if after is not None else (deadline or timedelta()) / 2
    if delay < timedelta() or (deadline is not None and delay >= deadline):
        raise InvalidQuestion(draft.title, f"escalates after {delay}", "Use a time before the deadline.")
    return delay


def _check_ending(draft: Draft, value: Any) -> None:
    """The value of a missed deadline fits as one that somebody gives must: it is found now, not in seven days."""
    if wrong := _misfit(draft, value):
        raise InvalidQuestion(draft.title, "does not take the value of its on_timeout", wrong)


def _misfit(draft: Draft, value: Any) -> str:
    if not schemas.is_json(value):
        return "Give a JSON value."
    if draft.kind == Kind.APPROVAL:
        return "Use Approve or Deny."
    if draft.kind == Kind.CHOICE and not schemas.is_one_of(value, draft.choices):
        return "Give one of the choices."
    if draft.kind == Kind.TOOL_CALL and not isinstance(value, dict):
        return "Give the arguments of the call."
    try:
        if draft.schema is not None:
            schemas.check_value(draft.schema, value)
    except InvalidAnswer as exc:
        return str(exc)
    return ""


def _addressee(one: str | Named) -> str:
    if isinstance(one, str):
        return one
    username = getattr(one, "get_username", None)
    return str(username()) if username else GROUP + str(getattr(one, "name", one))
