"""One call of a program: what each attempt of its recorded step does."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from flows.agents.calls import AgentCall
from flows.agents.commanding.claude_code import ClaudeCode
from flows.agents.commanding.conf import Command, find_command
from flows.agents.commanding.errors import CommandCrashed, CommandMisspoke, CommandTimeout, CommandWithoutFolder
from flows.agents.commanding.lines import Lines
from flows.agents.commanding.permission import verdict
from flows.agents.commanding.process import Program, running
from flows.agents.commanding.protocol import (
    Asked,
    InSession,
    Order,
    Question,
    Reply,
    Result,
    Said,
    Speech,
    Spent,
    Wanted,
    parse,
)
from flows.agents.commanding.spending import Spending
from flows.agents.workspaces.opening import open_workspace_folder
from flows.agents.workspaces.places import all_workspaces
from flows.llm.frames import Frames
from flows.llm.texts import storable, storable_json
from runs.jobs import Checkpoint, Emit

_SPEECHES: dict[str, Callable[[], Speech]] = {"perdure": Lines, "claude-code": ClaudeCode}
_MOST_SESSIONS = 10
_REST_SECONDS = 1.0
_DENIED = "This step does not allow it, and nobody is asked."


class Ended(BaseModel):
    """What a call records: the program's result, or with `asks` what it waits for people with."""

    model_config = ConfigDict(frozen=True)

    status: Literal["done", "blocked", "error"] = "done"
    content: str = ""
    structured: Any = None
    error: str = ""
    session: str = ""
    asks: Wanted | Question | None = None


class Attempt:
    """`before` is what the call before this one recorded, and `replies` what people said to it."""

    def __init__(
        self, call: AgentCall, session: str, replies: Sequence[Reply], emit: Emit, checkpoint: Checkpoint
    ) -> None:
        self._call, self._replies, self._checkpoint = call, tuple(replies), checkpoint
        self._granted = [one for one in replies if one.decision == "approve"]
        self._cut_off = str((checkpoint.last or {}).get("session", ""))
        self._session = self._cut_off or session
        self._is_kept, self._sessions = bool(self._cut_off), 0
        self._frames = Frames(emit)
        self._name = call.persona.command
        self._spending = Spending(self._name)

    async def ended(self) -> dict[str, Any]:
        """Raises CommandCrashed, CommandTimeout and what else `flows.agents.commanding.errors` holds."""
        command = find_command(self._name)
        if not self._call.scene.folder:
            raise CommandWithoutFolder
        try:
            async with asyncio.timeout(command.seconds) as limit:
                found = await self._converse(command)
        except TimeoutError as exc:
            if limit.expired():
                raise CommandTimeout(self._name, command.seconds) from exc
            raise
        except CommandCrashed:
            if self._cut_off:  # perhaps that session is what it cannot go on with
                await self._checkpoint({})
            raise
        finally:
            self._frames.close()
        shown: dict[str, Any] = storable_json(found.model_dump(mode="json"))
        return shown

    async def _converse(self, command: Command) -> Ended:
        speech, order = _SPEECHES[command.protocol](), self._order()
        argv = [command.program(), *command.argv[1:], *speech.argv(order)]
        scene = self._call.scene
        async with (
            open_workspace_folder(scene.step.run_id, scene.folder) as folder,
            running(argv, folder, _environment(command), command.secrets()) as program,
        ):
            program.tell(speech.opening(order))
            async for line in program.lines():
                said = parse(line)
                for one in speech.read(said) if said is not None else ():
                    ended = await self._take(one, program, speech)
                    if ended is not None:
                        self._frames.flush()
                        await self._let_end(program, speech, ended)
                        return ended
            raise CommandCrashed(self._name, await program.exit_code(), storable(program.last_words))

    def _order(self) -> Order:
        step, again = self._call.step, bool(self._cut_off or self._replies)
        return Order(
            instruction=self._call.instruction, system=self._call.system, session=self._session,
            permission=step.permitted, allowed_tools=step.allowed_tools,
            model=step.model or self._call.persona.model, again=again, replies=self._replies,
        )  # fmt: skip

    async def _take(self, said: Said, program: Program, speech: Speech) -> Ended | None:
        """Something that it said; how the call ends, if it does."""
        if isinstance(said, InSession):
            await self._keep_session(storable(said.id))
        elif isinstance(said, Spent):
            self._spending.tell(said)
        elif isinstance(said, Result):
            return Ended(
                status=said.status, content=said.content, structured=said.structured, error=said.error,
                session=self._session,
            )  # fmt: skip
        elif isinstance(said, Wanted):
            return self._decide(said, program, speech)
        elif isinstance(said, Question):
            return self._put_off(said, program, speech)
        else:
            self._frames.add(said)
        return None

    async def _keep_session(self, session: str) -> None:
        """Another attempt, also one after the worker's death, goes on in it."""
        if session != self._session or not self._is_kept:
            self._sessions += 1
            if self._sessions > _MOST_SESSIONS:  # each costs a checkpoint
                raise CommandMisspoke(f"told more than {_MOST_SESSIONS} sessions")
            self._session, self._is_kept = session, True
            await self._checkpoint({"session": session})

    def _decide(self, wanted: Wanted, program: Program, speech: Speech) -> Ended | None:
        granted = next((one for one in self._granted if _is_same(one.asked, wanted)), None)
        if granted is not None:
            self._granted.remove(granted)
            program.tell([speech.reply(granted.model_copy(update={"asked": wanted}))])
            return None
        found = verdict(self._call.step, wanted, self._call.scene.folder)
        if found == "ask":
            return self._put_off(wanted, program, speech)
        program.tell([speech.reply(Reply(asked=wanted, decision=found, reason=_DENIED if found == "deny" else ""))])
        return None

    def _put_off(self, asked: Asked, program: Program, speech: Speech) -> Ended:
        if not self._session:
            raise CommandMisspoke("asks people something before it has told its session, in which it could go on")
        program.tell(speech.put_off(asked))
        return Ended(session=self._session, asks=asked)

    async def _let_end(self, program: Program, speech: Speech, ended: Ended) -> None:
        """It may write down its session. What it says now counts no more, but for what it has spent."""
        if ended.asks is None:
            await program.finish()
            return
        counting = asyncio.create_task(self._count_rest(program, speech))
        try:
            await program.finish()
            await asyncio.wait([counting], timeout=_REST_SECONDS)
        finally:
            counting.cancel()
            await asyncio.gather(counting, return_exceptions=True)

    async def _count_rest(self, program: Program, speech: Speech) -> None:
        async for line in program.lines():
            said = parse(line)
            for one in speech.read(said) if said is not None else ():
                if isinstance(one, Spent):
                    self._spending.tell(one)


def _environment(command: Command) -> dict[str, str]:
    """A run's own folder may lie inside of a repository, as the data directory does: git looks no further up."""
    return command.environment() | {"GIT_CEILING_DIRECTORIES": str(all_workspaces())}


def _is_same(asked: Asked, wanted: Wanted) -> bool:
    return isinstance(asked, Wanted) and (asked.tool, asked.input) == (wanted.tool, wanted.input)
