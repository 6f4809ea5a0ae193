"""A scenario: the rules by which the scripted provider answers, inline or from a YAML or JSON file."""

import fnmatch
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from providers.errors import ERRORS, BadRequest
from providers.replies import FinishReason
from providers.requests import ChatRequest

MAXIMUM_BYTES = 1024 * 1024
MATCHED_CHARACTERS = 20_000


class _Rules(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Failure(_Rules):
    """`code`: one of `providers.errors`. `after_chunks`: how many text chunks come out first."""

    code: str
    message: str = ""
    retry_after: float | None = Field(default=None, ge=0)
    after_chunks: int = Field(default=0, ge=0)

    @field_validator("code")
    @classmethod
    def _known(cls, code: str) -> str:
        if code not in ERRORS:
            raise ValueError(f"there is no such code. Use one of {', '.join(sorted(ERRORS))}.")
        return code


class Call(_Rules):
    name: str
    arguments: dict[str, Any] = {}
    id: str | None = None


class Chunk(_Rules):
    """A piece of text that comes after a delay of its own."""

    text: str
    delay_seconds: float = Field(default=0, ge=0, le=3600)


Pieces = list[str | Chunk]


class Rule(_Rules):
    """When it applies (`match`, `model`, `turn` ...), what comes (`text` ...), and how (`delay_seconds` ...).

    `match` is searched in the last user text; `model` is a pattern with * and ?. `turn` counts the model's turns since
    that text, from 1; a rule with `tool_calls` is of turn 1 unless it says otherwise. `times`: for so many calls only,
    then the rules after it are asked. `wants_json`: for calls that want JSON of a schema alone, or for others alone.
    `is_literal`: nothing is put in for {{prompt}} and the like. A chunk may have a delay of its own.
    """

    match: str = ""
    model: str = "*"
    turn: int | None = Field(default=None, ge=1)
    times: int | None = Field(default=None, ge=1)
    wants_json: bool | None = None
    text: str | None = None
    chunks: Pieces = []
    json_: Any = Field(default=None, alias="json")
    reasoning: str | Pieces = []
    tool_calls: list[Call] = []
    fail: Failure | None = None
    finish_reason: FinishReason | None = None
    is_literal: bool = False
    delay_seconds: float = Field(default=0, ge=0, le=3600)
    chunk_delay_seconds: float = Field(default=0, ge=0, le=3600)

    @field_validator("match")
    @classmethod
    def _pattern(cls, match: str) -> str:
        try:
            re.compile(match)
        except re.error as error:
            raise ValueError(f"it is no regular expression: {error}.") from None
        return match

    @model_validator(mode="after")
    def _one_answer(self) -> "Rule":
        given = [self.text is not None, bool(self.chunks), "json_" in self.model_fields_set]
        if sum(given) > 1:
            raise ValueError("a rule has one of text, chunks and json. Remove the others.")
        return self

    @property
    def makes_its_own_text(self) -> bool:
        return self.text is not None or bool(self.chunks) or "json_" in self.model_fields_set

    def found(self, request: ChatRequest, model: str) -> re.Match[str] | None:
        """The match in the last user text, None where this rule does not apply; `times` is not looked at."""
        turn = self.turn or (1 if self.tool_calls else None)
        if turn not in (None, turn_of(request)) or not fnmatch.fnmatchcase(model, self.model):
            return None
        if self.wants_json not in (None, request.output_schema is not None):
            return None
        return re.search(self.match, request.last_user_text[:MATCHED_CHARACTERS])


class Scenario(_Rules):
    rules: list[Rule] = []


def turn_of(request: ChatRequest) -> int:
    """The number of the model's turn since the last user message, from 1."""
    turn = 1
    for message in reversed(request.messages):
        if message.role == "user":
            break
        turn += message.role == "assistant"
    return turn


def load(source: Any) -> Scenario:
    """The scenario of `Endpoint.extra["scenario"]`: a mapping, a path, or None for no rules.

    Raises BadRequest, which tells the place of a mistake and nothing that stands in the file.
    """
    if source is None:
        return Scenario()
    document, name = (read_document(Path(source)), str(source)) if isinstance(source, str) else (source, "given")
    try:
        return Scenario.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        problem = f"The scenario {name} is not valid at {place}: {first['msg']}."
    raise BadRequest(problem)


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases, which can make a small file huge."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


def read_document(path: Path) -> Any:
    """What a scenario's file holds. Raises BadRequest."""
    if path.suffix not in {".yaml", ".yml", ".json"}:
        raise BadRequest(f"The scenario {path} is no .yaml, .yml or .json file.")
    try:
        with path.open("rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise BadRequest(f"The scenario {path} cannot be read: {error.strerror}.") from None
    if len(content) > MAXIMUM_BYTES:
        raise BadRequest(f"The scenario {path} is larger than {MAXIMUM_BYTES} bytes.")
    try:
        return yaml.load(content, _PlainLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
    raise BadRequest(f"The scenario {path} is no YAML{where}.")
