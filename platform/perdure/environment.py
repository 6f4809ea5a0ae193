"""The environment variables that configure Perdure, typed and checked before Django reads anything."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BeforeValidator, Field, NonNegativeFloat, PositiveFloat, PositiveInt, TypeAdapter, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent.parent

Names = Annotated[list[str], NoDecode]


def _split_at_commas(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Environment(BaseSettings):
    """One field per variable: `PERDURE_<FIELD>`, except those that other tools name as well.

    Lists are comma-separated. Raises pydantic's ValidationError, which names the field, for a value that does not fit.
    """

    model_config = SettingsConfigDict(env_prefix="PERDURE_", env_ignore_empty=True)

    data_dir: Path = ROOT / "var"
    apps: Names = []
    workers: int | None = None
    queues: Names = []
    queue_limits: Annotated[dict[str, PositiveInt], NoDecode] = {}
    secret_key: str | None = None
    allowed_hosts: Names = ["localhost", "127.0.0.1", "[::1]"]
    cors_origins: Names = []
    debug: bool = False
    demo: bool = True
    base_url: str = "http://localhost:8000"
    email_from: str | None = None
    webhook_url: str = ""
    webhook_secret: str = ""
    webhook_allow_private: bool = False
    provider_url: str = ""
    provider_key_env: str = ""
    llm_secret_names: Names = ["*_API_KEY"]
    llm_secret_folder: str = ""
    llm_scenario_folder: str = ""
    llm_prices: dict[str, dict[str, NonNegativeFloat]] = {}
    day_budgets: dict[str, dict[Literal["tokens", "cost"], PositiveFloat]] = {}
    log_level: str = "INFO"
    workflow_job: str = "coding-agent"
    chat_agent_profiles: Names = []
    llm_tool_commands: Names = []
    llm_tool_folders: Names = []
    llm_tool_hosts: Names = []
    llm_tool_allow_private: bool = False
    llm_tool_seconds: PositiveFloat = 60
    llm_tool_result_chars: PositiveInt = 50_000
    agent_commands: dict[str, Any] = {}
    bind_addr: Annotated[tuple[str, int], NoDecode] = Field(("127.0.0.1", 8000), validation_alias="AG_UI_BIND_ADDR")
    storage_type: Literal["Standalone", "Scalable"] = Field(default="Standalone", validation_alias="STORAGE_TYPE")

    @field_validator(
        *("apps", "queues", "allowed_hosts", "cors_origins", "llm_secret_names", "chat_agent_profiles"),
        *("llm_tool_commands", "llm_tool_folders", "llm_tool_hosts"),
        mode="before",
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        return _split_at_commas(value)

    @field_validator("queue_limits", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        if any(not (name.strip() and limit.strip()) for name, _, limit in pairs):
            raise ValueError("write it as queue=limit,queue=limit, as in gpu=2,mail=10")
        return {name.strip(): limit.strip() for name, _, limit in pairs}

    @field_validator("bind_addr", mode="before")
    @classmethod
    def _address(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        host, _, port = value.rpartition(":")
        if not (port.isascii() and port.isdigit() and int(port) < 2**16):
            raise ValueError("write it as host:port, as in 0.0.0.0:8080 or [::]:8080")
        return host.strip("[]") or "0.0.0.0", int(port)

    @field_validator("storage_type", mode="before")
    @classmethod
    def _capitalised(cls, value: Any) -> Any:
        return value.strip().capitalize() if isinstance(value, str) else value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("workers")
    @classmethod
    def _at_least_one(cls, value: int | None) -> int | None:
        if value is not None and value < 1:
            raise ValueError("at least one worker process is needed; give 1 or more, or leave the variable out")
        return value

    @field_validator("apps")
    @classmethod
    def _importable(cls, value: list[str]) -> list[str]:
        for name in value:
            if find_spec(name.split(".")[0]) is None:
                raise ValueError(f"there is no package for {name!r}; correct it, or put its folder on PYTHONPATH")
        return value

    @cached_property
    def redis_url(self) -> str | None:
        return os.environ.get("REDIS_URL") or None

    @cached_property
    def database(self) -> dict[str, Any]:
        url = os.environ.get("DATABASE_URL")
        return database_from_url(url) if url else _sqlite(self.data_dir / "perdure.sqlite3")

    @cached_property
    def on_sqlite(self) -> bool:
        return str(self.database["ENGINE"]).endswith("sqlite3")

    @cached_property
    def worker_processes(self) -> int:
        """SQLite takes one writer at a time, so more processes would only wait for each other."""
        return self.workers or (1 if self.on_sqlite else os.cpu_count() or 1)


@dataclass(frozen=True, kw_only=True)
class AguiSettings:
    """Each field is read from `AG_UI_<NAME IN CAPITALS>`. Durations in seconds, sizes in bytes.

    `auth_tokens` are `user=token`, or a token alone for the user `ag-ui` (see `perdure.agui.tokens`).
    `session_ttl_sec`: how long after its end a run is told event by event; None: as long as the run's log is kept.
    `max_events_per_session`: a replay of more events begins with snapshots in their place.
    `default_job` answers when the client names none.
    """

    auth_tokens: Annotated[tuple[str, ...], BeforeValidator(_split_at_commas)] = ()
    session_ttl_sec: PositiveFloat | None = None
    max_events_per_session: PositiveInt = 1000
    default_job: str = "chat-agent"
    max_input_bytes: PositiveInt = 2 * 1024 * 1024


# A server that is gone without a word would be waited for during hours: notice it within half a minute.
_TCP = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}


def database_from_url(url: str) -> dict[str, Any]:
    """Django's settings for `postgres://user:password@host:port/name` or `sqlite:///path`.

    A query adds connection options; `?host=/directory` names a Unix socket. Raises ValueError for another scheme.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(
            Path(unquote(parts.path.removeprefix("/"))) if parts.path != "/" else ROOT / "var/perdure.sqlite3"
        )
    if parts.scheme not in ("postgres", "postgresql"):
        raise ValueError(
            f"DATABASE_URL has the scheme {parts.scheme!r}; use postgres://user@host:port/name or sqlite:////path"
        )
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(parts.port or ""),
        # A connection kept open is never given back by the threads of an ASGI server: it leaks.
        "CONN_MAX_AGE": 0,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": _TCP | options,
    }


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": 0,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {
            # A transaction that starts by reading and then writes fails at once when another one wrote in between;
            # one that takes the write lock first waits for its turn.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL, because "on disk" must survive a power cut: WAL with NORMAL may lose the last commits.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
        # In a file, not in memory: the engine's writer has a connection of its own.
        "TEST": {"NAME": str(path.with_name("test.sqlite3"))},
    }


def email_from_url(url: str | None) -> dict[str, Any]:
    """Django's mail settings for `smtp://user:password@host:port`, `smtps://...`, `file:///directory` or None (log).

    `smtp` uses STARTTLS when a user is given. Raises ValueError for another scheme or a port that is none.
    """
    if not url:
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    parts = urlsplit(url)
    if parts.scheme == "file":
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": unquote(parts.path),
        }
    if parts.scheme not in ("smtp", "smtps"):
        raise ValueError(f"EMAIL_URL has the scheme {parts.scheme!r}; use smtp://, smtps:// or file:///directory")
    secure = parts.scheme == "smtps"
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or (465 if secure else 587 if parts.username else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": secure,
        "EMAIL_USE_TLS": bool(parts.username) and not secure,
        "EMAIL_TIMEOUT": 10,
    }


def prefixed(kind: type, prefix: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """The variables `<prefix><FIELD>` of a dataclass that are set, converted to the types of its fields."""
    fields: Mapping[str, Any] = kind.__dataclass_fields__  # type: ignore[attr-defined]
    given = {name: environment[prefix + name.upper()] for name in fields if environment.get(prefix + name.upper())}
    typed: Any = TypeAdapter(kind).validate_python(given)
    return {prefix + name.upper(): getattr(typed, name) for name in given}
