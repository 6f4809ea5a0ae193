"""The requests, as data: both clients send the same ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel

from perdure_client.models import Artifact, Job, Page, Question, Run, Signal, Step

T = TypeVar("T")
Id = UUID | str


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and how its answer is read."""

    method: str
    path: str
    read: Callable[[Any], T]
    body: Any = None
    query: Sequence[tuple[str, str]] = field(default_factory=tuple)
    is_file: bool = False
    """Whether the answer is handed to `read` as bytes, not as parsed JSON."""

    @property
    def may_be_repeated(self) -> bool:
        """When no answer came: the server did nothing with it, or doing it again changes nothing."""
        return self.method == "GET" or bool(isinstance(self.body, dict) and self.body.get("idempotency_key"))


def plain(value: Any) -> Any:
    """`value` as JSON: pydantic models, times and ids as the server reads them."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def given(**fields: Any) -> dict[str, Any]:
    """The fields that are not None."""
    return {name: plain(value) for name, value in fields.items() if value is not None}


def query_of(**filters: Any) -> list[tuple[str, str]]:
    """Filters as a query; a list repeats its name, a dict becomes `name.key`."""
    pairs: list[tuple[str, str]] = []
    for name, value in filters.items():
        if isinstance(value, Mapping):
            pairs += [(f"{name}.{key}", str(part)) for key, part in value.items()]
        elif isinstance(value, (list, tuple)):
            pairs += [(name, str(part)) for part in value]
        elif value is not None:
            pairs.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    return pairs


def segment(text: object) -> str:
    return quote(str(text), safe="")


def list_jobs() -> Call[Page[Job]]:
    return Call("GET", "/api/jobs/", Page[Job].model_validate)


def start_run(job: str, input: Any = None, **options: Any) -> Call[Run]:
    body = {"job": job, "input": plain({} if input is None else input)} | given(**options)
    return Call("POST", "/api/runs/", Run.model_validate, body)


def get_run(run: Id) -> Call[Run]:
    return Call("GET", f"/api/runs/{segment(run)}/", Run.model_validate)


def list_runs(**filters: Any) -> Call[Page[Run]]:
    return Call("GET", "/api/runs/", Page[Run].model_validate, query=query_of(**filters))


def list_steps(run: Id) -> Call[Page[Step]]:
    return Call("GET", f"/api/runs/{segment(run)}/steps/", Page[Step].model_validate)


def list_artifacts(run: Id, **filters: Any) -> Call[Page[Artifact]]:
    return Call("GET", f"/api/runs/{segment(run)}/artifacts/", Page[Artifact].model_validate, query=query_of(**filters))


def download_artifact(run: Id, name: str, version: int | None = None) -> Call[bytes]:
    path = f"/api/runs/{segment(run)}/artifacts/{segment(name)}/"
    return Call("GET", path, bytes, query=query_of(version=version), is_file=True)


def act_on_run(run: Id, action: str, **fields: Any) -> Call[Run]:
    """cancel, pause, resume, retry, retrigger."""
    return Call("POST", f"/api/runs/{segment(run)}/{action}/", Run.model_validate, given(**fields))


def fork_run(run: Id, **fields: Any) -> Call[Run]:
    return Call("POST", f"/api/runs/{segment(run)}/fork/", Run.model_validate, given(**fields))


def grant_budget(run: Id, **more: float) -> Call[Run]:
    return Call("POST", f"/api/runs/{segment(run)}/budget/", Run.model_validate, given(**more))


def send_signal(run: Id, name: str, payload: Any = None, *, idempotency_key: str | None = None) -> Call[Signal]:
    body = {"name": name, "payload": plain(payload)} | given(idempotency_key=idempotency_key)
    return Call("POST", f"/api/runs/{segment(run)}/signals/", Signal.model_validate, body)


def list_questions(**filters: Any) -> Call[Page[Question]]:
    return Call("GET", "/api/questions/", Page[Question].model_validate, query=query_of(**filters))


def get_question(question: Id) -> Call[Question]:
    return Call("GET", f"/api/questions/{segment(question)}/", Question.model_validate)


def answer_question(question: Question, decision: str, **fields: Any) -> Call[Question]:
    body = {"decision": decision, "digest": question.digest} | given(**fields)
    return Call("POST", f"/api/questions/{question.id}/answer/", Question.model_validate, body)


def hex_of(job: Id) -> str:
    """A pipeline job's id as its API writes it: 32 hexadecimal digits."""
    return job.hex if isinstance(job, UUID) else job.replace("-", "")
