"""What the agent may do here: read pages and runs, keep notes in the shared state, start a run once it is approved."""

from typing import Annotated, Any, Literal

from pydantic import Field

from examples.ai_agent.tools import tools_of
from flows.llm.tools import Tool, ToolRefused, ToolResult, current_call, tool
from runs import jobs
from runs.errors import IdempotencyConflict, InvalidInput
from runs.jobs import Actor, StepContext
from runs.models import Run

MOST_NOTES = 100
Title = Annotated[str, Field(min_length=1, max_length=100)]
Startable = Literal["countdown", "repository-report"]


def tools_for(step: StepContext) -> list[Tool]:
    """All tools; those of notes look at the state of this run."""
    return [*tools_of(""), list_runs, note_tool(step), start_run]


def note_tool(step: StepContext) -> Tool:
    """The tool that changes the state; it is told what stands there when it is called."""

    @tool
    def save_note(title: Title, text: Annotated[str, Field(max_length=2_000)]) -> ToolResult:
        """Keep a note that the user sees, in the shared state under `notes`.

        Args:
            title: Its title. A note of this title is replaced.
            text: What to keep; empty to remove the note.
        """
        notes = step.state.get("notes")
        if text and isinstance(notes, dict) and len(notes) >= MOST_NOTES and title not in notes:
            raise ToolRefused(f"There are {MOST_NOTES} notes already", "Remove one first, with an empty text.")
        told = f"The note {title!r} is {'kept' if text else 'removed'}."
        return ToolResult(told, state={"notes": {title: text or None}})

    return save_note


@tool
def list_runs(most: Annotated[int, Field(ge=1, le=20)] = 5) -> list[dict[str, str]]:
    """The newest runs that the user may see: id, job, status and when they were made.

    Args:
        most: How many.
    """
    run = _this_run()
    if run.owner is None:
        raise ToolRefused("Nobody owns this run, so there is nobody whose runs it may show", "Answer without it.")
    found = jobs.visible_runs(run.owner).order_by("-created_at")
    if run.team_id is not None:  # the team reads along: what else the owner sees is not theirs
        found = found.filter(team_id=run.team_id)
    return [
        {"id": str(one.id), "job": one.job, "status": one.status, "created_at": one.created_at.isoformat()}
        for one in found.only("id", "job", "status", "created_at")[:most]
    ]


@tool(needs_approval=True)
def start_run(job: Startable, input: dict[str, Any] | None = None) -> str:
    """Start a run that goes on by itself. The user approves it first, and may change the input.

    Args:
        job: `countdown` counts down from `start` (1 to 10000) with `pause_seconds` (0 to 60) between two numbers;
            `repository-report` reads Perdure's own source and writes a report.
        input: The job's input; leave it out for the defaults.
    """
    run = _this_run()
    actor = Actor.of(run.owner) if run.owner is not None else jobs.SYSTEM
    try:
        # the key is the call's own: a call that is made again after a crash finds the run that it had started
        started = jobs.start(
            job,
            input or {},
            owner=run.owner,
            team=run.team,
            labels={"started_by": str(run.id)},
            idempotency_key=current_call().key,
            actor=actor,
        )
    except (InvalidInput, IdempotencyConflict) as exc:
        raise ToolRefused(str(exc).rstrip("."), "Correct the input and call it again.") from exc
    return f"The run {started.run.id} of {job} was started: /runs/{started.run.id}/"


def _this_run() -> Run:
    return Run.objects.select_related("owner", "team").get(id=current_call().run_id)
