"""What the doors of questions take."""

from typing import Annotated, Any

from django.http import QueryDict
from pydantic import Field, StringConstraints

from hitl.answers import MAX_TEXT
from hitl.models import Decision, QuestionStatus
from runs.api.errors import InvalidRequest
from runs.api.requests import Body, Key, refuse_unknown

Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]


class GiveAnswer(Body):
    """What one decides."""

    decision: Annotated[Decision, Field(strict=False)] = Field(
        description="approve or deny an approval, a tool call or a limit; submit an input; choose a choice."
    )
    value: Any = Field(None, description="What the question's schema or choices ask for; edited arguments; a limit.")
    comment: Text = ""
    digest: Annotated[str, StringConstraints(max_length=64)] = Field(description="That of the question as you read it.")
    idempotency_key: Key | None = Field(None, description="A second request with the same key changes nothing.")


class Delegate(Body):
    """Who is to answer instead."""

    to: Annotated[str, StringConstraints(min_length=1, max_length=150)] = Field(description="User name.")


class Say(Body):
    """A comment."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]


class Withdraw(Body):
    """Taking a question back."""

    reason: Text = Field("", description="Shown to those who were asked, and to the job.")


def read_statuses(query: QueryDict) -> list[str]:
    """The `status` filter, which may be repeated. Raises InvalidRequest, also for other unknown parameters."""
    rest = query.copy()
    statuses = rest.pop("status", [])
    refuse_unknown(rest, "run", "mine", "cursor", "limit")
    for status in statuses:
        if status not in QuestionStatus.values:
            raise InvalidRequest.of("status", f"must be one of: {', '.join(QuestionStatus.values)}")
    return [str(status) for status in statuses]


def read_mine(query: QueryDict) -> bool:
    """`mine=true` or `false`. Raises InvalidRequest."""
    text = query.get("mine", "false")
    if text not in ("true", "false"):
        raise InvalidRequest.of("mine", "must be true or false")
    return text == "true"
