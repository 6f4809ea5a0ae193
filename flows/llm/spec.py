"""What a profile may say, checked alike at every door and in the code of jobs."""

import fnmatch
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from flows.llm.conf import get_settings
from flows.llm.errors import InvalidProfile, SecretNotAccepted
from flows.llm.models import Kind

MAX_EXTRA = 64 * 1024
NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
_NAMES_OF_SECRETS = {"api_key_env", "secret_file"}
_SECRET = re.compile(r"apikey|authorization|password|secret|credential|bearer|cookie|(access|auth|api)token$|^token$")
_SECRET_HEADER = re.compile(r"(token|key)$")

Text = Annotated[str, StringConstraints(max_length=200)]


class Limits(BaseModel):
    """`concurrency`: calls at once over all workers; none: as many as there are. Seconds of the longest silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    concurrency: int | None = Field(None, ge=1, le=100_000)
    timeout_seconds: float = Field(120.0, gt=0, le=3_600)
    max_tokens: int | None = Field(None, ge=1, le=10_000_000)


class ProfileSpec(BaseModel):
    """All of a profile but its id."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Annotated[Kind, Field(strict=False)]
    base_uri: Annotated[str, StringConstraints(max_length=500)] = ""
    default_model: Text = ""
    api_key_env: Text = Field("", description="Name of the environment variable of the workers that holds the secret.")
    secret_file: Annotated[str, StringConstraints(max_length=500)] = Field(
        "", description="Name of a file in the folder of secrets."
    )
    limits: Limits = Limits()
    extra: dict[str, Any] = {}

    @field_validator("base_uri")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and not _is_address(value):
            raise ValueError("must be an http or https address without user name, query or fragment")
        return value.rstrip("/")

    @field_validator("api_key_env")
    @classmethod
    def _allowed_name(cls, value: str) -> str:
        patterns = get_settings().secret_names
        if value and not (re.match(NAME, value) and any(fnmatch.fnmatchcase(value, one) for one in patterns)):
            raise ValueError(f"must be a variable that LLM_SECRET_NAMES allows ({', '.join(patterns) or 'none'})")
        return value

    @field_validator("secret_file")
    @classmethod
    def _inside_folder(cls, value: str) -> str:
        if value and not get_settings().secret_folder:
            raise ValueError("is not allowed here, because LLM_SECRET_FOLDER names no folder; use api_key_env")
        if value and not is_inside(value):
            raise ValueError("must be a path inside the folder of LLM_SECRET_FOLDER")
        return value

    @field_validator("extra")
    @classmethod
    def _fitting_extra(cls, value: dict[str, Any]) -> dict[str, Any]:
        scenario = value.get("scenario")
        if isinstance(scenario, str) and not (get_settings().scenario_folder and is_inside(scenario)):
            raise ValueError("scenario must be given itself, or be a path inside the folder of LLM_SCENARIO_FOLDER")
        if len(str(value)) > MAX_EXTRA:
            raise ValueError(f"must be smaller than {MAX_EXTRA} characters")
        return value


def read_spec(data: Any) -> ProfileSpec:
    """Raises SecretNotAccepted, InvalidProfile."""
    refuse_secrets(data)
    try:
        return ProfileSpec.model_validate(data)
    except ValidationError as exc:
        raise InvalidProfile(_fields(exc)) from exc


def refuse_secrets(data: Any, *, where: str = "") -> None:
    """Raises SecretNotAccepted for a field that is named as secrets are, at any depth."""
    for name in _names(data, where):
        *above, last = name.split(".")
        plain = re.sub(r"[^a-z]", "", last.lower())
        is_header = bool(above) and above[-1] == "headers"
        if last not in _NAMES_OF_SECRETS and (_SECRET.search(plain) or (is_header and _SECRET_HEADER.search(plain))):
            raise SecretNotAccepted(name)


def is_inside(path: str) -> bool:
    """A relative path that leaves no folder; links are looked at when it is opened."""
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts and path.isprintable() and "\\" not in path


def _names(data: Any, where: str) -> Iterator[str]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            name = f"{where}.{key}" if where else str(key)
            yield name
            yield from _names(value, name)
    elif isinstance(data, list):
        for value in data:
            yield from _names(value, where)


def _is_address(text: str) -> bool:
    try:
        url = urlsplit(text)
        fits = url.scheme in ("http", "https") and url.hostname and url.port != 0 and "@" not in url.netloc
    except ValueError:
        return False
    return bool(fits) and not (url.query or url.fragment) and text.isascii() and text.isprintable() and " " not in text


def _fields(exc: ValidationError) -> list[dict[str, str]]:
    """Without the values themselves: one of them may be a secret in the wrong place."""
    return [
        {"field": ".".join(map(str, error["loc"])) or "body", "message": error["msg"].removeprefix("Value error, ")}
        for error in exc.errors(include_url=False, include_input=False)
    ]
