"""An input that is kept in a preset, a schedule or a run, as the beginning of a form; its secrets never reach it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from perdure.dashboard.forms.building import MISSING
from perdure.dashboard.forms.schema_form import JobForm
from perdure.dashboard.forms.schema_reading import Schema
from runs.definitions import Job
from runs.errors import InvalidInput
from runs.jobs import is_same_input, redact
from runs.models import Preset, Run, Schedule

MASK = "***"


class HasInput(Protocol):
    def input_schema(self) -> Schema: ...


Path = list[str | int]


@dataclass(frozen=True)
class Kept:
    """The input of a run that goes on in another one; `secrets` are the paths in it that no page shows."""

    input: Any
    secrets: list[Path]


Keeps = Preset | Schedule | Kept


@dataclass(frozen=True)
class Beginning:
    """What a form begins with. What stands at the `hidden` paths of `kept` goes into the input unless it is typed."""

    value: Any = MISSING
    hidden: Sequence[Path] = ()
    kept: Keeps | None = None
    run: Run | None = None
    left_out: int = 0
    """How many secrets of the run have to be given again."""

    @property
    def is_given(self) -> bool:
        return self.value is not MISSING


def of_kept(kept: Keeps | None) -> Beginning:
    """A preset or a schedule keeps its secrets itself, so they may stay as they are."""
    if kept is None:
        return Beginning()
    return Beginning(redact(kept.input, kept.secrets), kept.secrets, kept)


def of_run(run: Run, part: str = "") -> Beginning:
    """A run's input, or a part of it, without secrets: whoever sees the run need not be the one who gave them."""
    paths = run.secrets.get("input", [])
    value = without(run.input, paths)
    if part:
        value = value.get(part) if isinstance(value, dict) else None
    return Beginning(value, run=run, left_out=len(paths))


def input_form(job: Job, kept: Keeps | None, query: Any, data: Any = None, files: Any = None) -> JobForm:
    """The form of the job's input, filled with what is kept; one field for JSON where the query says `json`."""
    return form_of(job, of_kept(kept), "json" in query, data, files)


def form_of(of: HasInput, beginning: Beginning, as_json: bool, data: Any = None, files: Any = None) -> JobForm:
    schema = {} if as_json else of.input_schema()
    return JobForm(schema, data, files, value=beginning.value, hidden=beginning.hidden)


def input_of(form: JobForm, kept: Keeps | None, job: Job | None = None, user: Any = None) -> Any:
    """What the valid form holds, with what no form shows; a secret that was left as it was shown is the kept one.

    Raises InvalidInput where `user` would send a colleague's secrets of a preset or schedule with another input.
    """
    value = form.input_value()
    if kept is not None and isinstance(kept.input, dict) and form.internal:
        value = {name: kept.input[name] for name in form.internal & kept.input.keys()} | value
    left: list[Path] = []
    for path in kept.secrets if kept is not None else []:
        place = form.place_of(path)
        whole = value if place is None else _put_back(value, list(place), _read(kept.input, path))  # type: ignore[union-attr]
        left += [path] if whole != value else []
        value = whole
    if left and job is not None and isinstance(kept, Preset | Schedule) and kept.owner_id != user.pk:
        _refuse_another(job, value, kept, left)
    return value


def _refuse_another(job: Job, value: Any, kept: Preset | Schedule, left: list[Path]) -> None:
    """Beside another address a secret would go where who gave it never sent it."""
    if not is_same_input(job, value, kept.input):
        again = "was given by somebody else for another input. Give it again."
        raise InvalidInput(job.name, [{"field": ".".join(map(str, path)), "message": again} for path in left])


def without(value: Any, paths: Sequence[Path]) -> Any:
    """The value with nothing at the paths; an item of a list stays as an empty text, so that the others keep theirs."""
    for path in paths:
        value = _taken_out(value, path)
    return value


def _taken_out(value: Any, path: Path) -> Any:
    if not path:
        return None
    key, rest = path[0], path[1:]
    if isinstance(value, dict) and key in value:
        if not rest:
            return {name: one for name, one in value.items() if name != key}
        return value | {key: _taken_out(value[key], rest)}
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return [*value[:key], _taken_out(value[key], rest) if rest else "", *value[key + 1 :]]
    return value


def _read(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def _put_back(value: Any, path: Path, secret: Any) -> Any:
    if not path:
        return secret if value in ("", None, MASK) else value
    key, rest = path[0], path[1:]
    if isinstance(value, dict):
        return value | {key: _put_back(value.get(key), rest, secret)}
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return [*value[:key], _put_back(value[key], rest, secret), *value[key + 1 :]]
    return value
