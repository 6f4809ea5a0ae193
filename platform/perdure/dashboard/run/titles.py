"""What a page calls a run, and what it says of it in a row."""

from typing import Any

from flows.agents.execution.steering import LOOK
from flows.agents.naming import JOB as FLOW
from flows.agents.run_input import FlowInput
from perdure.dashboard.documents import KINDS, document_of
from perdure.dashboard.forms.schema_reading import internal_of
from runs.maintenance.reasons import in_words
from runs.models import Run, RunStatus

QUESTION = "question:"
"""Signals of this name are sent by answers, and by nobody else."""

_LONGEST = 120
_INTERNAL = internal_of(FlowInput.model_json_schema())


def title_of(run: Run) -> str:
    """The name of the flow or pipeline that it carries out, else the job's."""
    return document_of(run.job, run.input) or run.job


def task_of(run: Run) -> str:
    """The first words of what a flow's agents are to do; empty for other jobs."""
    line = " ".join(str(_flow_input(run).get("task") or "").split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def reason_of(run: Run) -> str:
    """The run's reason in a row of a list: signals of the machinery are said in words."""
    kind, _, name = run.reason.partition(" ")
    if run.job == FLOW and run.status == RunStatus.WAITING and kind == "signal" and name.startswith(LOOK):
        return f"Waits for a look before iteration {name.removeprefix(LOOK)}"
    return in_words(run.reason)


def shown_input(run: Run, value: Any) -> Any:
    """The input without what code alone fills in, and without what a flow or a pipeline was not given."""
    if run.job not in KINDS or not isinstance(value, dict):
        return value
    return {name: one for name, one in value.items() if name not in _INTERNAL and one not in ("", None, {}, False)}


def _flow_input(run: Run) -> dict[str, Any]:
    return run.input if run.job == FLOW and isinstance(run.input, dict) else {}
