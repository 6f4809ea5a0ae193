"""An input that is kept in a preset or a schedule, as the beginning of a form; its secrets never reach the page."""

from typing import Any

from perdure.dashboard.schema_form import JobForm
from runs.definitions import Job
from runs.jobs import redact
from runs.models import Preset, Schedule

MASK = "***"


def input_form(job: Job, kept: Preset | Schedule | None, query: Any, data: Any = None) -> JobForm:
    """The form of the job's input, filled with what is kept; one field for JSON where the query says `json`."""
    form = JobForm({} if "json" in query else job.input_schema(), data)
    if kept is not None:
        form.fill(redact(kept.input, kept.secrets), kept.secrets)
    return form


def input_of(form: JobForm, kept: Preset | Schedule | None) -> Any:
    """What the valid form holds, with what no form shows; a secret that was left as it was shown is the kept one."""
    value = form.input_value()
    if kept is not None and isinstance(kept.input, dict) and form.internal:
        value = {name: kept.input[name] for name in form.internal & kept.input.keys()} | value
    for path in kept.secrets if kept is not None else []:
        value = _put_back(value, path, _read(kept.input, path))  # type: ignore[union-attr]
    return value


def _read(value: Any, path: list[str | int]) -> Any:
    for key in path:
        value = value[key]
    return value


def _put_back(value: Any, path: list[str | int], secret: Any) -> Any:
    if not path:
        return secret if value in ("", None, MASK) else value
    key, rest = path[0], path[1:]
    if isinstance(value, dict):
        return value | {key: _put_back(value.get(key), rest, secret)}
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return [*value[:key], _put_back(value[key], rest, secret), *value[key + 1 :]]
    return value
