"""Values on their way to and from disk: checked and encoded at the call, before anything is queued."""

import dataclasses
import inspect
import json
import re
import traceback
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, get_type_hints

from pydantic import BaseModel, SecretBytes, SecretStr, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from runs.conf import get_settings
from runs.definitions import Job
from runs.errors import PayloadTooLarge, StorageError

MASK = "***"
_PYDANTIC_MASK = "**********"
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_NOT_PLAIN = re.compile(r"[^\n -~]")
_PLAIN = (str, int, bool, type(None))
_SMALL = 2**63
_NONE: dict[str, Any] = {}
_FLOAT = (float, "float", Any)

Path = list[str | int]

# made once: json.dumps makes an encoder for each call that says how
_encode_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Payload(NamedTuple):
    """A stored value: `text` is its JSON, `shown` the JSON value with secrets masked, `secrets` their paths."""

    text: str
    shown: Any
    secrets: list[Path]

    @property
    def value(self) -> Any:
        """The JSON value itself, secrets included."""
        return json.loads(self.text)

    @property
    def size(self) -> int:
        return len(self.text.encode())

    @property
    def secrets_text(self) -> str:
        return json.dumps(self.secrets) if self.secrets else "[]"


def encode(value: Any, where: str) -> Payload:
    """The payload of `value`. Raises StorageError or PayloadTooLarge, naming `where` and the type."""
    if value is None or (type(value) in (int, bool) and abs(value) < _SMALL):
        return Payload(_encode_json(value), value, [])
    shown = _to_jsonable(value, where)
    text = dump(shown, where)
    if _PYDANTIC_MASK not in text:
        return Payload(text, shown, [])
    real = _to_jsonable(_revealed(value), where)
    secrets = list(_differences(shown, real, []))
    return Payload(dump(real, where), redact(shown, secrets), secrets)


def secrets_of(job: Job, value: Any) -> list[Path]:
    """The paths in an input of `job` that doors show as ***. Raises InvalidInput, StorageError, PayloadTooLarge."""
    return encode(job.parse_input(value), f"The input of job {job.name!r}").secrets


def is_same_input(job: Job, one: Any, other: Any) -> bool:
    """Whether `job` takes both for the same, with its defaults filled in. Raises as `secrets_of` does."""
    where = f"The input of job {job.name!r}"
    return bool(encode(job.parse_input(one), where).value == encode(job.parse_input(other), where).value)


def dump(value: Any, where: str) -> str:
    """JSON text of a JSON value, checked for all that the database would refuse later."""
    settings = get_settings()
    try:
        text = _encode_json(value)
        size = len(text.encode())
    except UnicodeEncodeError as exc:
        raise StorageError(where, "it holds a lone surrogate, which is no text") from exc
    except (TypeError, ValueError, RecursionError) as exc:
        raise StorageError(where, f"{type(value).__name__} is not JSON ({exc})") from exc
    if size > settings.max_payload_bytes:
        raise PayloadTooLarge(where, size, settings.max_payload_bytes)
    if type(value) in _PLAIN and "\\" not in text:
        return text
    if "\\u0000" in text and _NUL.search(text):
        raise StorageError(where, "it holds a NUL character, which PostgreSQL cannot store")
    if _is_deeper(value, settings.max_payload_depth):
        raise StorageError(where, f"it is nested deeper than {settings.max_payload_depth} levels")
    return text


def _to_jsonable(value: Any, where: str) -> Any:
    try:
        return to_jsonable_python(value)
    except (PydanticSerializationError, ValueError, RecursionError) as exc:
        problem = f"{type(value).__name__} is not JSON ({exc})"
        raise StorageError(where, problem.encode("utf-8", "replace").decode()) from exc


def _is_deeper(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [inner for item in level for inner in _members(item)]
        if not level:
            return False
    return True


def _members(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _revealed(value: Any) -> Any:
    """`value` in plain containers, each secret as what it hides; models keep the aliases that JSON uses."""
    if isinstance(value, SecretStr | SecretBytes):
        return value.get_secret_value()
    if isinstance(value, BaseModel):
        return _revealed(value.model_dump(by_alias=True))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _revealed(_adapter(type(value)).dump_python(value))
    if isinstance(value, dict):
        return {key: _revealed(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_revealed(item) for item in value]
    return value


def _differences(shown: Any, real: Any, path: Path) -> Any:
    if isinstance(shown, dict) and isinstance(real, dict):
        for key in shown:
            yield from _differences(shown[key], real.get(key), [*path, key])
    elif isinstance(shown, list) and isinstance(real, list):
        for index, (one, other) in enumerate(zip(shown, real, strict=True)):
            yield from _differences(one, other, [*path, index])
    elif shown == _PYDANTIC_MASK and shown != real:
        yield path


def redact(value: Any, secrets: list[Path] | None) -> Any:
    """`value` with `***` at each path of `secrets`; a path that does not fit any more masks nothing else."""
    for path in secrets or []:
        value = _mask(value, path)
    return value


def _mask(value: Any, path: Path) -> Any:
    if not path:
        return MASK
    key, rest = path[0], path[1:]
    if isinstance(value, dict) and key in value:
        return value | {key: _mask(value[key], rest)}
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return [*value[:key], _mask(value[key], rest), *value[key + 1 :]]
    return value


def decode(value: Any, function: Callable[..., Any], where: str) -> Any:
    """The JSON `value` as the type that `function` declares it returns; as it is without a declaration."""
    hint = _return_hint(function)
    if hint is Any or (isinstance(value, _PLAIN) and hint is type(value)):
        return value
    try:
        return _adapter(hint).validate_json(json.dumps(value))
    except ValidationError as exc:
        raise StorageError(where, f"the recorded value does not fit {hint}") from exc


def typed(value: Any, payload: Payload, function: Callable[..., Any], where: str) -> Any:
    """What a live call returns: the same that a replay will return, so that both take the same way."""
    if isinstance(value, _PLAIN) and type(value) in _PLAIN:
        return value
    if type(value) is float and getattr(function, "__annotations__", _NONE).get("return", Any) in _FLOAT:
        return value
    return decode(payload.value, function, where)


def _return_hint(function: Callable[..., Any]) -> Any:
    function = inspect.unwrap(function)
    if "return" not in getattr(function, "__annotations__", {}):
        return Any
    try:
        return get_type_hints(function).get("return", Any)
    except NameError:
        return Any  # annotations that name something local to another function


@lru_cache(maxsize=512)
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint)


def readable(value: Any) -> str:
    """Indented JSON of a JSON value for people: signs that nobody sees, or that turn text round, are spelt.

    Who approves what it shows approves all that is there.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _NOT_PLAIN.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text)


def clean(text: str, limit: int = 20_000) -> str:
    """Text that any database takes: no NUL, no lone surrogate, at most `limit` characters from its end."""
    return text[-limit:].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def describe_error(exc: BaseException) -> dict[str, Any]:
    """`{"type", "message", "traceback"}` of an exception, storable whatever its text holds."""
    try:
        message = str(exc)
    except Exception:  # a broken __str__ must not hide the error itself
        message = "(its message cannot be read)"
    lines = traceback.format_exception(exc)
    return {
        "type": type(exc).__name__,
        "message": clean(message, 4_000),
        "traceback": clean("".join(lines)),
    }
