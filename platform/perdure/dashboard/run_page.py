"""What is recorded of a run up to one sequence: the first paint, which the live events continue."""

from dataclasses import dataclass
from typing import Any

from perdure.dashboard import rendering
from perdure.dashboard.rows import shown_status
from perdure.dashboard.run_titles import shown_input
from perdure.dashboard.said import Said, said_by
from perdure.dashboard.sentences import status_sentence
from runs.events.types import EventType, LiveType
from runs.jobs import redact
from runs.models import Event, Run, Step, StepStatus

EVENTS_SHOWN = 1000
TEXTS_SHOWN = 10


@dataclass(frozen=True)
class RunPage:
    """The run's rows as of `run.last_sequence`, redacted as every door shows them."""

    run: Run
    steps: list[Step]
    events: list[Event]
    streams: list[Said]
    input: Any
    output: Any
    sentence: str

    @property
    def steps_done(self) -> int:
        return sum(step.status in (StepStatus.COMPLETED, StepStatus.SKIPPED) for step in self.steps)

    @property
    def output_texts(self) -> list[tuple[str, str]]:
        return rendering.texts_in(self.output)

    @property
    def logs(self) -> list[Event]:
        return [event for event in self.events if event.type == EventType.LOG_WRITE]

    @property
    def earlier_events(self) -> bool:
        return bool(self.events) and self.events[0].sequence > self.run.first_sequence

    @property
    def event_types(self) -> str:
        return " ".join([*EventType, *LiveType])

    def as_state(self) -> dict[str, Any]:
        """What `reducer.js` begins with; times are RFC 3339."""
        return {
            "lastSequence": self.run.last_sequence,
            "status": self.run.status,
            "reason": self.run.reason,
            "progress": self.run.progress,
            "steps": [
                {"name": step.name, "kind": step.kind, "status": shown_status(step), "attempts": step.attempts}
                for step in self.steps
            ],
        }


def read_run_page(run: Run, with_events: bool = True) -> RunPage:
    """Reads the rows after the run's own, so what they hold is at least as new as `run.last_sequence`."""
    steps = list(run.steps.defer("output").order_by("id"))
    newest = (
        run.events.none()
        if not with_events
        else run.events.filter(sequence__lte=run.last_sequence).order_by("-sequence")[:EVENTS_SHOWN]
    )
    output = redact(run.output, run.secrets.get("output", []))
    return RunPage(
        run=run,
        steps=steps,
        events=list(reversed(newest)),
        streams=_streamed_texts(run, {text for _, text in rendering.texts_in(output)}),
        input=shown_input(run, redact(run.input, run.secrets.get("input", []))),
        output=output,
        sentence=status_sentence(run, steps),
    )


def _streamed_texts(run: Run, shown: set[str]) -> list[Said]:
    """What streaming steps said, newest last, without the texts that the result shows."""
    newest = run.steps.filter(kind="stream", status=StepStatus.COMPLETED).order_by("-id")[:TEXTS_SHOWN]
    said = (said_by(step.name, redact(step.output, step.secrets)) for step in reversed(newest))
    return [one for one in said if one is not None and (one.text not in shown or one.reasoning or one.calls)]
