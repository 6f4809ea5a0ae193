"""What an agent says in a form that rules and later steps can compute with: JSON of the step's output_schema."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, NoReturn

from flows.agents import naming
from flows.agents.calls import AgentCall, Answer
from flows.agents.performing.texts import texts_in
from flows.llm.outputs import InvalidOutput
from hitl.errors import InvalidAnswer
from hitl.schemas import Schema, check_value, is_json, schema_of

PART: Final = "structured"
_MAX_PROBLEM = 2_000
_BLOCK = re.compile(
    r"^[ \t]*```json[ \t]*\r?\n((?:(?!^[ \t]*```).*\r?\n)*)[ \t]*```[ \t]*$", re.MULTILINE | re.IGNORECASE
)

FollowUp = Callable[[AgentCall], Awaitable[Answer]]
"""Asks the agent once more, for JSON alone."""


async def complete(call: AgentCall, answer: Answer, ask_again: FollowUp) -> Answer:
    """The answer with its structured output, asked for once more where it is missing or does not fit.

    The follow-up is recorded as `<name>: structured`. An answer without a fitting value then is an error.
    """
    schema = call.step.output_schema
    if schema is None:
        return answer
    try:
        schema_of(schema)  # one that refers to others would have them fetched
        return replace(answer, structured=_given(schema, answer))
    except ValueError as exc:
        return replace(answer, status="error", error=f"The output_schema is no JSON Schema: {exc}. Correct it.")
    except InvalidOutput as exc:
        problem = str(exc)
    told = _request(call, schema, problem)
    more = await ask_again(call.again(naming.part(call.name, PART), told, answer.session))
    try:
        value = _given(schema, more, may_be_bare=True)
    except InvalidOutput as exc:
        error = (
            f"The structured output does not fit: {exc}. Say in the instruction what is wanted, or change the schema."
        )
        return replace(answer, status="error", error=error, session=more.session)
    return replace(answer, structured=value, session=more.session)


def _read_value(schema: Schema, text: str) -> Any:
    """The value that a JSON text holds. Raises InvalidOutput, which says what does not fit."""
    try:
        return _fitting(schema, json.loads(text, parse_constant=_refuse))
    except (ValueError, RecursionError) as exc:
        raise InvalidOutput(f"it is not JSON: {exc}"[:_MAX_PROBLEM]) from None


def _fitting(schema: Schema, value: Any) -> Any:
    """The value itself. Raises InvalidOutput."""
    try:
        check_value(schema, value)
    except InvalidAnswer as exc:
        told = "; ".join(f"{field['field']}: {field['message']}" for field in exc.fields)
        raise InvalidOutput(told[:_MAX_PROBLEM]) from None
    if not is_json(value):
        raise InvalidOutput("it is no JSON")
    return value


def last_block(content: str) -> str | None:
    """What stands in the last ```json block."""
    found = [match[1] for match in _BLOCK.finditer(content)]
    return found[-1] if found else None


def without_last_block(content: str) -> str:
    found = list(_BLOCK.finditer(content))
    return content if not found else content[: found[-1].start()] + content[found[-1].end() :]


def _given(schema: Schema, answer: Answer, *, may_be_bare: bool = False) -> Any:
    """What the agent handed over as such, else its last block; else all of it, where that may be JSON."""
    if answer.status != "done":
        raise InvalidOutput(answer.error or "there is none")
    if answer.structured is not None:
        return _fitting(schema, answer.structured)
    block = last_block(answer.content)
    if block is None and not (may_be_bare or answer.content.lstrip().startswith(("{", "["))):
        raise InvalidOutput("")
    return _read_value(schema, block if block is not None else answer.content)


def _request(call: AgentCall, schema: Schema, problem: str) -> str:
    texts = texts_in(call.language)
    said = texts.unfit.format(problem=problem) if problem else texts.no_block
    return f"{said}\n{texts.only_json}\n```json\n{json.dumps(schema, ensure_ascii=False, indent=2)}\n```"


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
