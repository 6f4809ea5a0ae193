"""What a step gave, in the form that its output_type and output_format promise."""

import base64
import binascii
import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from flows.pipelines.errors import UnusableOutput
from flows.pipelines.results import CONTENT_TYPES, ResultItem
from flows.pipelines.shards import Shard
from flows.pipelines.spec import OutputFormat, OutputType, PipelineDef, StepDef
from hitl import schemas
from hitl.errors import InvalidAnswer

TABLE_SCHEMA: dict[str, Any] = {
    "title": "table",
    "type": "object",
    "properties": {
        "columns": {"type": "array", "items": {"type": "string"}},
        "rows": {"type": "array", "items": {"type": "array"}},
    },
    "required": ["columns", "rows"],
    "additionalProperties": False,
}
"""What a model is held to that gives a table as json_strict."""

_MOST_READ = 2_000_000
"""Characters, in the search for JSON in a text."""
_FENCED = re.compile(r"```(?:json|JSON)?[^\S\n]*\n(.*?)\n?```", re.DOTALL)


def made_item(
    made: PipelineDef, step: StepDef, shard: Shard, value: Any, *, label: str = "", place: int | None = None,
    is_value: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """The result item of a shard as JSON; `place` counts those of one shard. Raises UnusableOutput.

    A text is read as JSON where the step gives JSON, unless it is the value itself.
    """
    parts = [step.id, *(str(number) for number in (shard.index, place) if number is not None)]
    data = data_of(step, value, is_value)
    item = ResultItem(
        id="-".join(parts), label=label or shard.label, step_id=step.id, shard_key=shard.key,
        kind=step.output_type.value, tag=step.export_tag or None, content_type=_content_type(step, data),
        data=_with_source(step, data, shard), is_primary=made.is_primary(step),
    )  # fmt: skip
    return item.model_dump(mode="json", exclude_none=True) | {"data": item.data}


def data_of(step: StepDef, value: Any, is_value: bool = False) -> Any:
    """Raises UnusableOutput."""
    match step.output_type:
        case OutputType.TEXT | OutputType.MARKDOWN:
            return {"text": value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}
        case OutputType.JSON:
            return _checked(step, value if is_value else _json(step, value))
        case OutputType.TABLE:
            return _table(step, value)
        case OutputType.EMBEDDING:
            return _embedding(step, value)
        case OutputType.IMAGE | OutputType.BINARY:
            return _binary(step, value)


def _json(step: StepDef, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if step.format is OutputFormat.TEXT:
        return value
    for text in _candidates(step, value):
        try:
            return json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            continue
    raise UnusableOutput(step.id, f"there is no JSON in {value[:200]!r}")


def _candidates(step: StepDef, text: str) -> Iterator[str]:
    """The text; where it may be loose, also what stands in fences, and the first value that begins in it."""
    yield text
    if step.format is not OutputFormat.JSON_LOOSE:
        return
    yield from _FENCED.findall(text)
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    left = _MOST_READ
    for begin in re.finditer(r"[{\[]", text[:100_000]):
        try:
            _, end = decoder.raw_decode(text, begin.start())
        except RecursionError:
            return
        except ValueError as exc:
            left -= getattr(exc, "pos", len(text)) - begin.start()
            if left < 0:  # each of many brackets would be read to the end, while the worker waits
                return
            continue
        yield text[begin.start() : end]
        return


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _checked(step: StepDef, value: Any) -> Any:
    """The value, if it fits the schema."""
    if step.schema_ is not None:
        try:
            schemas.check_value(step.schema_, value)
        except InvalidAnswer as exc:
            first = exc.fields[0]
            raise UnusableOutput(step.id, f"{first['field']}: {first['message']}") from exc
    return value


def _table(step: StepDef, value: Any) -> dict[str, Any]:
    """`{"columns", "rows"}` of that, of a list of objects or lists, or of a Markdown or CSV table in a text."""
    if isinstance(value, str):
        value = _rows_of_text(step, value)
    if isinstance(value, dict) and isinstance(value.get("columns"), list) and isinstance(value.get("rows"), list):
        return {"columns": value["columns"], "rows": value["rows"]}
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        columns = list(dict.fromkeys(key for row in value for key in row))
        return {"columns": columns, "rows": [[row.get(column) for column in columns] for row in value]}
    if isinstance(value, list) and value and all(isinstance(row, list) for row in value):
        return {"columns": value[0], "rows": value[1:]}
    raise UnusableOutput(step.id, "it is no table: give a list of objects, or columns and rows")


def _rows_of_text(step: StepDef, text: str) -> Any:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    piped = [line for line in lines if line.startswith("|") and line.endswith("|")]
    if len(piped) >= 2:
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in piped]
        return [row for row in cells if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    try:
        return _json(step, text)
    except UnusableOutput:
        return list(csv.reader(io.StringIO(text))) if any("," in line for line in lines) else text


def _embedding(step: StepDef, value: Any) -> dict[str, Any]:
    vector = value.get("vector") if isinstance(value, dict) else value
    if not isinstance(vector, list) or not all(isinstance(one, int | float) for one in vector):
        raise UnusableOutput(step.id, "it is no list of numbers")
    return {"vector": vector, "model": value.get("model", "") if isinstance(value, dict) else ""}


def _binary(step: StepDef, value: Any) -> dict[str, str]:
    """`{"media_type", "base64"}` of that, of bytes, or of base64 text."""
    if isinstance(value, bytes):
        value = base64.b64encode(value).decode()
    found = value if isinstance(value, dict) else {"base64": value}
    text, kind = found.get("base64"), found.get("media_type") or CONTENT_TYPES[step.output_type]
    try:
        base64.b64decode(text if isinstance(text, str) else "*", validate=True)
    except (binascii.Error, ValueError) as exc:
        raise UnusableOutput(step.id, "it is neither bytes nor base64 text") from exc
    return {"media_type": str(kind), "base64": str(text)}


def _content_type(step: StepDef, data: Any) -> str:
    if step.output_type in (OutputType.IMAGE, OutputType.BINARY):
        return str(data["media_type"])
    return CONTENT_TYPES[step.output_type]


def _with_source(step: StepDef, data: Any, shard: Shard) -> Any:
    """A text says which source it is of."""
    if step.output_type not in (OutputType.TEXT, OutputType.MARKDOWN) or shard.source is None:
        return data
    return data | {"source_kind": shard.source["kind"], "source": shard.source["label"]}
