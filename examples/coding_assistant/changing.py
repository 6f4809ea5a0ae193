"""One file after another: read, proposed by a model, and made into a diff. Each of these is a recorded step."""

import asyncio
from collections.abc import Awaitable, Callable

from examples import writing
from examples.coding_assistant import prompts
from examples.coding_assistant.editing import EditMisfit, edited, hunks_of, unified_diff
from examples.coding_assistant.schema import Change, CodingTask, Plan, Proposal
from examples.naming import step_name
from examples.sources.errors import NotShown
from examples.sources.files import read_source
from examples.sources.schema import Found, FoundFile, Source
from examples.text import counted
from flows.llm.chat import MAX_NAME, chat
from providers.messages import Message
from runs.jobs import Checkpoint, Emit, StepContext

ROOM = len(" (again) #10")


class FileChanged(Exception):
    is_retryable = False

    def __init__(self, path: str) -> None:
        super().__init__(f"{path!r} can no longer be read as it was found. Start the task again.")


async def change_files(step: StepContext, task: CodingTask, plan: Plan, found: Found) -> list[Change]:
    """A change for each file found, in their order."""
    return [await _change_file(step, task, plan, found.folder, one) for one in found.files]


async def _change_file(step: StepContext, task: CodingTask, plan: Plan, folder: str, found: FoundFile) -> Change:
    source = await step.run(step_name("read", found.path), read_found, folder, found.path)
    proposal, problem = await _propose(step, prompts.change(task.task, plan, found, source), source)
    diff, note = "", problem or proposal.note or "Nothing is to be changed."
    if edited(source.text, proposal.edits) != source.text:
        diff = await step.stream(step_name("diff", found.path), diff_writer(source, proposal))
    else:
        step.log.info(f"{found.path} stays as it is. {note}")
    return Change(file=found.path, diff=diff, note=note, digest=source.digest)


def read_found(folder: str, path: str) -> Source:
    """Raises FolderNotAllowed, FileChanged."""
    try:
        return read_source(folder, path)
    except NotShown as exc:
        raise FileChanged(path) from exc


async def _propose(step: StepContext, asked: str, source: Source) -> tuple[Proposal, str]:
    """Edits that fit, asked for twice at most; after that none, and what is wrong with the last ones."""
    messages = [Message(role="system", content=prompts.SYSTEM), Message(role="user", content=asked)]
    problem = ""
    for place in ("", " (again)"):
        name = step_name("propose", source.path, place, MAX_NAME - ROOM)
        answer = await chat(step, name, messages, output_type=Proposal)
        proposal: Proposal = answer.output
        try:
            edited(source.text, proposal.edits)
        except EditMisfit as exc:
            problem = str(exc)
            messages = [*answer.messages, Message(role="user", content=prompts.again(problem))]
        else:
            return proposal, ""
    return Proposal(edits=[], note=proposal.note), problem


def diff_writer(source: Source, proposal: Proposal) -> Callable[[Emit, Checkpoint], Awaitable[str]]:
    """A streaming step's function: frames of `status` and `diff`, a hunk each, and the whole diff as its result."""

    async def write(emit: Emit, checkpoint: Checkpoint) -> str:
        _tell(emit, f"{counted(len(proposal.edits), 'edit')} to put in place")
        diff = unified_diff(source.path, source.text, edited(source.text, proposal.edits))
        for hunk in hunks_of(diff):
            emit({"type": "diff", "file": source.path, "text": hunk})
            await asyncio.sleep(writing.PIECE_SECONDS)
        _tell(emit, _counted(diff))
        return diff

    return write


def _tell(emit: Emit, text: str) -> None:
    emit({"type": "status", "text": text})


def _counted(diff: str) -> str:
    added, removed = (sum(line.startswith(sign) for line in diff.splitlines()[2:]) for sign in "+-")
    return f"{counted(added, 'line')} added, {removed} removed"
