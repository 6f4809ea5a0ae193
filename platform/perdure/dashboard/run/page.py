"""What the overview of a run shows: its input, its result, and what its streaming steps said."""

from dataclasses import dataclass
from typing import Any

from perdure.dashboard import rendering
from perdure.dashboard.run.rows import shown_status
from perdure.dashboard.run.said import Said, said_by
from perdure.dashboard.run.titles import shown_input
from runs.jobs import redact
from runs.models import Run, Step, StepStatus

TEXTS_SHOWN = 3
"""The newest; the Conversation tab has all."""


@dataclass(frozen=True)
class RunPage:
    """Redacted as every door shows it."""

    streams: list[Said]
    input: Any
    output: Any

    @property
    def output_texts(self) -> list[tuple[str, str]]:
        return rendering.texts_in(self.output)


def read_run_page(run: Run) -> RunPage:
    output = redact(run.output, run.secrets.get("output", []))
    return RunPage(
        streams=_streamed_texts(run, {text for _, text in rendering.texts_in(output)}),
        input=shown_input(run, redact(run.input, run.secrets.get("input", []))),
        output=output,
    )


def under_way(steps: list[Step]) -> list[Step]:
    """Steps that are worked at or tried again soon; those that only wait are told by what they wait for."""
    return [step for step in steps if shown_status(step) in (StepStatus.RUNNING, StepStatus.RETRYING)]


def _streamed_texts(run: Run, shown: set[str]) -> list[Said]:
    """What streaming steps said, newest last, without the texts that the result shows."""
    newest = run.steps.filter(kind="stream", status=StepStatus.COMPLETED).order_by("-id")[:TEXTS_SHOWN]
    said = (said_by(step.name, redact(step.output, step.secrets)) for step in reversed(newest))
    return [one for one in said if one is not None and (one.text not in shown or one.reasoning or one.calls)]
