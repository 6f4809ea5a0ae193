"""What people answer is shown, so a question that asks for a secret is refused before anybody could give one."""

from typing import Any

import pytest
from pydantic import BaseModel, SecretBytes, SecretStr

from hitl import drafts
from hitl.errors import InvalidQuestion
from hitl.models import Question
from hitl.questions import ask
from runs import jobs
from runs.jobs import StepContext, job
from runs.testing import drain, temporary_jobs


class Login(BaseModel):
    name: str
    password: SecretStr


class Logins(BaseModel):
    all: list[Login] = []


PASSWORD = {"type": "string", "format": "password"}


def make(schema: Any, kind: str = "input") -> drafts.Draft:
    context = {"name": "call", "arguments": {}} if kind == "tool_call" else None
    return drafts.make_draft("key?", kind=kind, schema=schema, to=(), escalate_to=(), context=context)


@pytest.mark.parametrize("kind", ["input", "tool_call", "limit"])
@pytest.mark.parametrize(
    "schema",
    [
        *(SecretStr, SecretBytes | None, Login, Logins, dict[str, SecretStr]),
        PASSWORD,
        {"type": "string", "writeOnly": True},
        {"type": "object", "properties": {"default": PASSWORD}},
        {"type": "array", "prefixItems": [{"type": "string"}, {"anyOf": [PASSWORD]}]},
        {"$ref": "#/elsewhere/key", "elsewhere": {"key": PASSWORD}},
    ],
)
def test_a_schema_with_a_secret_is_refused_with_the_remedy(schema: Any, kind: str) -> None:
    with pytest.raises(InvalidQuestion, match=r"answers are shown\. Ask for the name of an entry"):
        make(schema, kind)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"format": {"enum": ["password"]}, "writeOnly": {"type": "boolean"}}},
        {"type": "object", "default": {"format": "password", "writeOnly": True}},
        {"type": "string", "writeOnly": False, "format": "email"},
    ],
)
def test_words_that_mark_no_secret_are_taken(schema: dict[str, Any]) -> None:
    assert make(schema).schema == schema


@pytest.mark.django_db(transaction=True)
def test_a_run_that_asks_for_a_secret_fails_and_asks_nobody() -> None:
    with temporary_jobs():

        @job("asks-for-a-secret")
        async def asks(step: StepContext) -> None:
            await ask(step, "key?", kind="input", schema=Login)

        run = jobs.start(asks).run
        drain()
    error = jobs.get(run.id).error
    assert error is not None
    assert error["type"] == "InvalidQuestion"
    assert not Question.objects.exists()
