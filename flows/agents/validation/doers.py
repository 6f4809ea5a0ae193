"""Who does a step, with what: personas, tools, functions, questions, schemas, gates."""

from collections.abc import Iterator

from flows.agents.registry import function_names, known_tools
from flows.agents.spec import Flow, Persona, Step
from flows.agents.validation.found import Found, Placed, all_steps, unknown
from flows.documents import Path
from hitl import drafts, schemas
from hitl.errors import InvalidQuestion
from runs.errors import InvalidOption
from runs.jobs import Budget

_SHELL = {"&&", "||", "|", ";", ">", ">>", "<", "&"}


def problems_of(flow: Flow) -> Iterator[Found]:
    for name, persona in flow.personas.items():
        yield from _persona(flow, persona, ("personas", name))
    for placed in all_steps(flow):
        yield from _of_step(flow, placed)
    if flow.answer_agent and flow.personas[flow.answer_agent].agent == "command":
        told = "a program cannot answer in place of people: `answer_agent` asks a model"
        yield Found(told, ("answer_agent",), "Name a persona with `agent: llm`.")
    try:
        Budget.of(flow.budget)
    except InvalidOption as exc:
        told, _, remedy = str(exc).partition(". ")
        told = told.replace("Option 'budget.", "the budget: ", 1).replace("'", "", 1)
        yield Found(told, ("budget",), remedy)


def _persona(flow: Flow, persona: Persona, path: Path) -> Iterator[Found]:
    if persona.agent == "llm":
        if persona.command:
            yield Found(
                "`command` is for personas with `agent: command`", (*path, "command"), "Add it, or remove this."
            )
        return
    if not persona.command:
        yield Found("a persona with `agent: command` names no command", path, "Add `command: <name>`.")
    if flow.workspace is None:
        told = "a command works on files, and the flow has no workspace"
        yield Found(told, path, "Add `workspace: folder` or `workspace: git-worktree` to the flow.")


def _of_step(flow: Flow, placed: Placed) -> Iterator[Found]:
    step, path = placed.step, placed.path
    known, persona = sorted(known_tools()), flow.personas.get(step.persona or "")
    for place, name in enumerate(step.allowed_tools or ()):
        if name not in known and (persona is None or persona.agent == "llm"):  # a program has tools of its own
            yield unknown("tool", name, known, (*path, "allowed_tools", place), "Register it in an app's jobs.py.")
    if step.function is not None and step.function not in function_names():
        otherwise = "Register it with @flow_function in an app's jobs.py."
        yield unknown("function", step.function, function_names(), (*path, "function"), otherwise)
    yield from _schema(step, path)
    yield from _question(step, path)
    yield from _gates(flow, step, path)


def _schema(step: Step, path: Path) -> Iterator[Found]:
    try:
        schemas.schema_of(step.output_schema)
    except ValueError as exc:
        told = f"this is no JSON Schema: {str(exc)[:300]}"
        yield Found(told, (*path, "structured_output"), "Correct it as https://json-schema.org/ explains.")


def _question(step: Step, path: Path) -> Iterator[Found]:
    asked = step.ask
    if asked is None:
        return
    schema = asked.schema_ if asked.schema_ is not None or asked.kind != "input" else {"type": "object"}
    try:
        drafts.make_draft(
            asked.title, schema=schema, to=asked.to, escalate_to=(), kind=asked.kind, choices=list(asked.choices),
            quorum=asked.quorum, body=asked.body, context=None, starter_may_answer=asked.starter_may_answer,
        )  # fmt: skip
    except InvalidQuestion as exc:
        told, _, remedy = str(exc).rpartition(". ")
        yield Found(told or str(exc), (*path, "ask"), remedy or "Correct the question.")


def _gates(flow: Flow, step: Step, path: Path) -> Iterator[Found]:
    for place, gate in enumerate(step.quality_gates):
        where = (*path, "quality_gates", place)
        if bool(gate.text) == bool(gate.command):
            told = "a quality gate is a text for the agent or a command"
            yield Found(told, where, "Give one of `text` and `command`.")
        if found := next((word for word in gate.command if word in _SHELL), None):
            told = f"a gate's command is not run by a shell, which {found!r} is for"
            yield Found(told, where, "Make a gate of each command, or call a script.")
        if gate.command and flow.workspace is None:
            told = "a gate's command runs in the workspace, and the flow has none"
            yield Found(told, where, "Add `workspace: folder` to the flow.")
