"""A scenario as a list of answers: each is given once, in order, to whom it is meant for."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from providers.scripted.scenario import Call, Chunk, Failure, Rule, Scenario

BLOCKED: Final = "[BLOCKED]"
"""On a line of its own it says that an agent needs something of people first."""

MAX_ENTRIES: Final = 10_000
MAX_BYTES: Final = 1024 * 1024
MAX_ENTRY: Final = 50_000
"""Characters of one entry as JSON: it is the scenario of one call, and a profile's fields are bounded."""

Milliseconds = Annotated[int, Field(ge=0, le=3_600_000)]


class InvalidScenario(Exception):
    """Says which entry does not fit, counted from 1, and what to do; never what a file holds."""


class ScenarioUsedUp(Exception):
    """No entry is left for a call."""

    def __init__(self, personas: Sequence[str]) -> None:
        named = " or ".join(repr(name) for name in personas if name) or "nobody in particular"
        super().__init__(
            f"The scenario has no unused entry for {named}, and none without a persona. Add an entry for this call."
        )


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TextChunk(_Part):
    text: str
    delay_ms: Milliseconds = 0


class ToolUse(_Part):
    tool: Annotated[str, Field(min_length=1, max_length=64)]
    input: dict[str, Any] = {}


class Entry(_Part):
    """One answer. `text_chunks` are the pieces that `content` comes in; without a content they are it."""

    persona: str | None = None
    status: Literal["done", "blocked", "error"] = "done"
    content: str = ""
    structured_output: Any = None
    error: str | None = None
    delay_ms: Milliseconds = 0
    text_chunks: list[TextChunk] = []
    tool_use: list[ToolUse] = []

    @property
    def is_structured(self) -> bool:
        return "structured_output" in self.model_fields_set

    @property
    def text(self) -> str:
        """What the agent says, in words alone."""
        return self.content or "".join(chunk.text for chunk in self.text_chunks)


_ENTRIES: Final = TypeAdapter(list[Entry])


def read(text: str) -> list[Entry]:
    """The entries of a JSON array. Raises InvalidScenario."""
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InvalidScenario(f"The scenario is no JSON{where}. Write an array of entries.") from None
    return entries_of(found)


def read_file(path: Path) -> list[Entry]:
    """Raises InvalidScenario, also where the file cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InvalidScenario(f"The scenario {path} is larger than {MAX_BYTES} bytes. Make it smaller.")
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise InvalidScenario(f"The scenario {path} cannot be read: {error.strerror}. Name a JSON file.") from None
    except UnicodeDecodeError:
        raise InvalidScenario(f"The scenario {path} is no text in UTF-8. Save it as UTF-8.") from None
    return read(text)


def entries_of(document: Any) -> list[Entry]:
    """The entries of an array that was read already. Raises InvalidScenario."""
    if not isinstance(document, list):
        raise InvalidScenario("The scenario is no array. Write its entries in [ and ].")
    if len(document) > MAX_ENTRIES:
        raise InvalidScenario(f"The scenario has {len(document)} entries, and {MAX_ENTRIES} is the most. Split it.")
    try:
        entries = _ENTRIES.validate_python(document)
    except ValidationError as error:
        raise InvalidScenario(_problem(error)) from None
    for number, entry in enumerate(entries, start=1):
        if len(_as_json(entry)) > MAX_ENTRY:
            raise InvalidScenario(f"Entry {number} is larger than {MAX_ENTRY} characters. Make it smaller.")
    return entries


def as_override(entry: Entry) -> dict[str, Any]:
    """What makes one call of any profile answer with this entry. As text: no field of it is taken for a secret."""
    return {
        "kind": "scripted", "base_uri": "", "api_key_env": "", "secret_file": "",
        "extra": {"scenario": {"entry": _as_json(entry)}},
    }  # fmt: skip


def as_rules(entry: Entry, tag: str = "") -> Scenario:
    """How the scripted provider answers one call of a model, its turns after tools too; `tag` begins the calls' ids."""
    delay = entry.delay_ms / 1000
    if entry.status == "error":
        chunks = _chunks(entry.text_chunks)
        message = (entry.error or entry.text or "This call fails").strip()
        message += "" if message.endswith((".", "!", "?")) else "."
        fail = Failure(code="scripted_error", message=message, after_chunks=len(chunks))
        return Scenario(rules=[Rule(chunks=chunks, fail=fail, is_literal=True, delay_seconds=delay)])
    calls = [
        Call(name=use.tool, arguments=use.input, id=f"{tag}call_{number}")
        for number, use in enumerate(entry.tool_use, start=1)
    ]
    first = [Rule(tool_calls=calls, text="", is_literal=True, wants_json=False, delay_seconds=delay)] if calls else []
    return Scenario(rules=[_for_schema(entry, delay), *first, _spoken(entry, 0 if calls else delay)])


def _for_schema(entry: Entry, delay: float) -> Rule:
    """To a call that wants JSON of a schema."""
    if entry.is_structured:
        return Rule(json=entry.structured_output, wants_json=True, is_literal=True, delay_seconds=delay)
    missing = Failure(
        code="scripted_error", message="The call wants JSON of a schema, and its entry has no structured_output."
    )
    return Rule(fail=missing, wants_json=True, delay_seconds=delay)


def _spoken(entry: Entry, delay: float) -> Rule:
    head = f"{BLOCKED}\n" if entry.status == "blocked" else ""
    tail = f"\n\n```json\n{_dumped(entry.structured_output)}\n```" if entry.is_structured else ""
    said = "".join(chunk.text for chunk in entry.text_chunks)
    if not said:
        return Rule(text=head + entry.text + tail, is_literal=True, delay_seconds=delay)
    pieces = _chunks(entry.text_chunks)
    if not entry.text.startswith(said):
        # they do not begin the content: a reader sees them, and the answer is the content alone
        return Rule(text=head + entry.text + tail, reasoning=pieces, is_literal=True, delay_seconds=delay)
    rest = entry.text[len(said) :] + tail
    whole = [*_some(head), *pieces, *_some(rest)]
    return Rule(chunks=whole, is_literal=True, delay_seconds=delay)


class Unused:
    """The entries that no call has taken yet."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.left: list[Entry] = list(entries)

    def take(self, *personas: str) -> Entry:
        """The first for one of these names, else the first without a persona. Raises ScenarioUsedUp."""
        named = (number for number, entry in enumerate(self.left) if entry.persona in personas)
        anyone = (number for number, entry in enumerate(self.left) if not entry.persona)
        number = next(named, next(anyone, None))
        if number is None:
            raise ScenarioUsedUp(personas)
        return self.left.pop(number)


def _chunks(chunks: Iterable[TextChunk]) -> list[str | Chunk]:
    return [Chunk(text=chunk.text, delay_seconds=chunk.delay_ms / 1000) for chunk in chunks]


def _some(text: str) -> list[str | Chunk]:
    return [text] if text else []


def _as_json(entry: Entry) -> str:
    return entry.model_dump_json(exclude_unset=True)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _problem(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    number, *path = first["loc"]
    place = f"Entry {int(number) + 1}" + (f", {'.'.join(map(str, path))}" if path else "")
    if first["type"] == "extra_forbidden":
        return f"{place}: there is no such field. Use {', '.join(Entry.model_fields)}."
    return f"{place}: {first['msg']}. Correct it."
