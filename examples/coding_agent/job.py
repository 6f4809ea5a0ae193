"""The job: a model works in a folder, turn by turn, until people have approved what it changed."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from examples.answering import answered_by
from examples.chat_agent.profiles import chosen_profile
from examples.coding_agent import prompts
from examples.coding_agent.project import changes_of, open_project
from examples.coding_agent.schema import Assignment, Changes, Outcome, Review
from examples.coding_agent.tools import ASK, tools_for
from flows.llm.chat import chat
from flows.llm.errors import TooManyTurns
from flows.llm.results import ChatResult
from providers.messages import Message
from runs.errors import SignalTimeout
from runs.jobs import StepContext, job

PATIENCE = timedelta(days=7)
Decision = Literal["approved", "expired", "nothing to review", "out of iterations"]


@dataclass
class Work:
    """What was said and done up to now."""

    step: StepContext
    assignment: Assignment
    folder: str
    messages: list[Message]
    iterations: int = 0
    rounds: int = 0
    changes: Changes = field(default_factory=Changes)
    answered_by: str = ""

    @property
    def left(self) -> int:
        return self.assignment.metadata.maxIterations - self.iterations

    def outcome(self, decision: Decision, message: str) -> Outcome:
        return Outcome(
            success=decision == "approved", message=message, decision=decision, iterations=self.iterations,
            steps=[
                {"step": number, "tool": one.tool_name, "success": not one.is_error}
                for number, one in enumerate((one for one in self.messages if one.role == "tool"), start=1)
            ],
            edits=self.changes.edits, folder=self.folder, answered_by=self.answered_by,
        )  # fmt: skip


@job("coding-agent")
async def coding_agent(step: StepContext, assignment: Assignment) -> Outcome:
    """Read, search and edit the files of a folder with tools, in a loop, and have the change reviewed."""
    folder = await step.run("open-project", open_project, assignment.projectId, step.run_id)
    work = Work(step, assignment, folder, [prompts.begin(assignment.task)])
    approved: str | None = None
    while work.left > 0:
        try:
            answer = await _work_on(work)
        except TooManyTurns:
            work.iterations = assignment.metadata.maxIterations
            break
        await _keep_changes(work)
        if not answer.pending_calls and work.changes.diff in ("", approved):
            return work.outcome("approved" if approved else "nothing to review", answer.text)
        try:
            review: Review = await step.wait_for_signal("review", type=Review, timeout=PATIENCE)
        except SignalTimeout:
            return work.outcome("expired", "Nobody reviewed the change in time; it stays as it is.")
        if review.approved and not answer.pending_calls:
            return work.outcome("approved", answer.text)
        approved = work.changes.diff if review.approved else None
        work.messages += prompts.reviewed(answer.pending_calls, review)
    await _keep_changes(work)
    return work.outcome("out of iterations", "The iterations are spent; what was changed stays as it is.")


async def _work_on(work: Work) -> ChatResult:
    """One stretch of work: until the model asks for a review, or has nothing more to do."""
    work.rounds += 1
    metadata, before = work.assignment.metadata, work.iterations
    answer = await chat(
        work.step, f"work {work.rounds}", work.messages, system=prompts.SYSTEM,
        profile=chosen_profile({"profile": metadata.llmConfig.provider}), model=metadata.llmConfig.name,
        tools=tools_for(work.folder, work.step.run_id), client_tools=[ASK], approve="none", max_turns=work.left,
        on_turn=lambda turn: work.step.progress(before + turn, metadata.maxIterations, f"Iteration {before + turn}"),
    )  # fmt: skip
    work.iterations += answer.turns
    work.messages = [one for one in answer.messages if one.role != "system"]
    work.answered_by = answered_by(answer)
    return answer


async def _keep_changes(work: Work) -> None:
    """The whole change up to now, as an artefact for whoever reviews it."""
    before = work.changes.diff
    name = f"changes {work.rounds}"
    work.changes = await work.step.run(name, changes_of, work.step.run_id, work.folder)
    if work.changes.diff != before:
        await work.step.save_artifact("changes.diff", work.changes.diff, step_name=f"save {name}")
