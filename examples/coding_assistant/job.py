"""The job: a plan, the files that it is about, a diff for each, and people's approval where it is asked for."""

from collections import Counter
from datetime import timedelta

from examples.answering import answered_by
from examples.code_review.applying import apply_change
from examples.coding_assistant import prompts
from examples.coding_assistant.changing import change_files
from examples.coding_assistant.schema import Change, Changes, CodingTask, Plan, Unchanged
from examples.sources.allowed import allowed_folder
from examples.sources.files import CODE, paths_of
from examples.sources.schema import Found
from examples.sources.search import search
from examples.text import counted
from flows.llm.chat import chat
from flows.llm.results import ChatResult
from hitl.questions import Deny, Outcome, ask
from runs.jobs import StepContext, job

DEADLINE = timedelta(days=7)
MOST_FOLDERS = 200
STAGES = 3


class NothingFound(Exception):
    def __init__(self, found: Found) -> None:
        terms = ", ".join(map(repr, found.terms))
        super().__init__(
            f"None of {counted(found.searched, 'file')} in {found.folder!r} holds {terms}. Name a function, a class or "
            "a word of the code in the task, and start it again."
        )


@job("coding-assistant")
async def coding_assistant(step: StepContext, task: CodingTask) -> Changes:
    """Plan a change, search the code base for it, and propose a diff for each file; nothing is applied unasked."""
    folders = await step.run("list-folders", list_folders, task.folder)
    answer = await chat(step, "analyse-task", prompts.plan(task.task, folders), system=prompts.SYSTEM, output_type=Plan)
    plan: Plan = answer.output
    step.progress(1, STAGES, "Task analysed")
    found = await step.run("search-code", search_code, task, plan)
    step.progress(2, STAGES, f"{counted(len(found.files), 'file')} of {found.searched} found")
    changes = await change_files(step, task, plan, found)
    step.progress(STAGES, STAGES, "Changes generated")
    return await _decide(step, task, found.folder, _result(plan, changes, answer))


def list_folders(folder: str) -> list[str]:
    """Each folder of the code base with the number of its files. Raises FolderNotAllowed."""
    counts = Counter(path.rpartition("/")[0] or "." for path in paths_of(folder, CODE))
    return [f"{path} ({counted(count, 'file')})" for path, count in sorted(counts.items())][:MOST_FOLDERS]


def search_code(task: CodingTask, plan: Plan) -> Found:
    """Raises FolderNotAllowed, NothingFound."""
    found = search(str(allowed_folder(task.folder)), plan.terms, task.maximum_files, CODE)
    if not found.files:
        raise NothingFound(found)
    return found


def _result(plan: Plan, changes: list[Change], answer: ChatResult) -> Changes:
    return Changes(
        plan=plan,
        changes=[change for change in changes if change.diff],
        unchanged=[Unchanged(file=change.file, note=change.note) for change in changes if not change.diff],
        diff="".join(change.diff for change in changes),
        answered_by=answered_by(answer),
        decision="not asked",
        folder="",
    )


async def _decide(step: StepContext, task: CodingTask, folder: str, result: Changes) -> Changes:
    """Asked only where the task says so and there is something to apply."""
    if not task.ask or not result.changes:
        return result
    outcome = await _ask(step, task, result)
    if not outcome.approved:
        return result.model_copy(update={"decision": "expired" if outcome.timed_out else "denied"})
    digests = {change.file: change.digest for change in result.changes}
    written = await step.run("apply", apply_change, "coding-assistant", step.run_id, folder, result.diff, digests)
    return result.model_copy(update={"decision": "applied", "folder": written.folder})


async def _ask(step: StepContext, task: CodingTask, result: Changes) -> Outcome:
    return await ask(
        step,
        f"Apply the change to {counted(len(result.changes), 'file')}?",
        name="approval",
        body=f"{result.plan.summary}\n\nProposed by: {result.answered_by}. **Approve** writes the changed files into a "
        "work folder of the run; the source stays as it is.",
        context={"diff": result.diff},
        to=task.reviewers,
        starter_may_answer=not task.reviewers,
        deadline=DEADLINE,
        on_timeout=Deny(),
    )
