"""What each step of a definition must keep to, by its kind."""

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import ValidationError

from flows.documents import Path
from flows.documents.problems import meant
from flows.llm import profiles
from flows.llm.spec import refuse_secrets
from flows.pipelines import configs, registry
from flows.pipelines.spec import Mode, OutputFormat, OutputType, PipelineDef, StepDef, StepKind
from flows.pipelines.templates.rendering import Wrong, line_of_use, problems_in, references_to
from hitl import schemas
from runs.errors import RunsError

_FORMATTED = (OutputType.JSON, OutputType.TABLE)
_ASKING = (StepKind.LLM, StepKind.IMAGE)


class Found(NamedTuple):
    """Something wrong at a path; `template_line` counts within a template's text, 0 for none."""

    message: str
    path: Path
    template_line: int = 0


class Text(NamedTuple):
    """A template or expression of a step, and where it stands."""

    text: str
    path: Path
    is_expression: bool = False


def problems_of(made: PipelineDef, step: StepDef) -> Iterator[Found]:
    """Paths begin at the step."""
    yield from _kind(step)
    yield from _output(step)
    yield from _schemas(step)
    yield from _config(step)
    yield from _provider(step)
    for text in texts_of(step):
        yield from _template(made, step, text)


def texts_of(step: StepDef) -> list[Text]:
    """All templates and expressions of a step."""
    found: list[Text] = []
    if step.prompt:
        found += [Text(step.prompt.system, ("prompt", "system")), Text(step.prompt.user, ("prompt", "user"))]
    if step.when:
        found.append(Text(step.when, ("when",), True))
    if isinstance(expression := step.config.get("expression"), str) and step.kind is not StepKind.CUSTOM:
        found.append(Text(expression, ("config", "expression"), True))
    if step.kind is StepKind.TOOL:
        found += [Text(text, ("config", *path)) for path, text in configs.texts_in(step.config)]
    if step.asked_afterwards:
        found.append(Text(step.asked_afterwards.body, ("checkpoint", "body")))
    return [one for one in found if one.text]


def _kind(step: StepDef) -> Iterator[Found]:
    has_text = bool(step.prompt and step.prompt.user)
    if step.mode is Mode.PER_ITEM and not step.depends_on:
        yield Found("a step per item needs depends_on: whose items?", ("mode",))
    if step.kind in _ASKING and not has_text:
        yield Found(f"a step of kind {step.kind} needs prompt.user: what is asked?", ("prompt",))
    if step.kind is StepKind.MAP and not has_text and "expression" not in step.config:
        yield Found("a step of kind map needs prompt.user or config.expression", ("kind",))
    if step.kind is StepKind.REDUCE and (step.mode is not Mode.SINGLE or not step.depends_on):
        yield Found("a step of kind reduce has mode single, and depends_on: what is put together?", ("kind",))
    yield from _named(step, StepKind.TOOL, "tool", step.tool, registry.tool_names())
    yield from _named(step, StepKind.CUSTOM, "function", step.function, registry.function_names())


def _named(step: StepDef, kind: StepKind, key: str, name: str | None, known: list[str]) -> Iterator[Found]:
    if step.kind is not kind:
        if name is not None:
            yield Found(f"only a step of kind {kind} has the key {key!r}", (key,))
    elif name is None:
        yield Found(f"a step of kind {kind} needs the key {key!r}", ("kind",))
    elif name not in known:
        yield Found(f"there is no {key} {name!r} registered{meant(name, known)}", (key,))


def _output(step: StepDef) -> Iterator[Found]:
    if step.kind is StepKind.LLM and step.output_type in (OutputType.IMAGE, OutputType.BINARY):
        yield Found(f"a step of kind llm gives no {step.output_type}; use kind image", ("output_type",))
    if step.kind is StepKind.IMAGE and step.output_type is not OutputType.IMAGE:
        yield Found("a step of kind image has output_type image", ("output_type",))
    if step.output_type not in _FORMATTED:
        if step.output_format not in (None, OutputFormat.TEXT):
            yield Found(f"{step.output_format} goes with output_type json or table", ("output_format",))
        if step.schema_ is not None:
            yield Found("a schema goes with output_type json or table", ("schema",))


def _schemas(step: StepDef) -> Iterator[Found]:
    asked = step.asked_afterwards
    for schema, path in ((step.schema_, ("schema",)), (asked.schema_ if asked else None, ("checkpoint", "schema"))):
        try:
            schemas.schema_of(schema)
        except ValueError as exc:
            yield Found(f"this is no JSON Schema: {exc}", path)


def _config(step: StepDef) -> Iterator[Found]:
    model = configs.config_class(step)
    if model is None:
        return
    try:
        made = model.model_validate(step.config)
    except ValidationError as exc:
        for error in exc.errors(include_url=False):
            path = tuple(error["loc"])
            told = error["msg"]
            if error["type"] == "extra_forbidden":
                known = list(model.model_fields)
                told = f"unknown key {path[-1]!r}{meant(str(path[-1]), known) or '; use one of: ' + ', '.join(known)}"
            yield Found(told, ("config", *path))
        return
    known = registry.tool_names()
    for place, name in enumerate(made.tools if isinstance(made, configs.LlmConfig) else ()):
        if name not in known:
            yield Found(f"there is no tool {name!r} registered{meant(name, known)}", ("config", "tools", place))


def _provider(step: StepDef) -> Iterator[Found]:
    asks = step.kind in _ASKING
    if step.provider_profile_id is not None and not asks:
        yield Found("only steps of kind llm and image have a provider", ("provider_profile_id",))
    if step.provider_override is None:
        return
    if not asks:
        yield Found("only steps of kind llm and image have a provider", ("provider_override",))
    try:
        refuse_secrets(step.provider_override, where="provider_override")
    except RunsError as exc:
        yield Found(str(exc), ("provider_override",))


def risky(step: StepDef) -> Iterator[Found]:
    """What only an app's file may say: a stored document's author need not be one who may change profiles."""
    if step.approve == "none":
        yield Found("tools that need approval ask people; only an app's file may say `none`", ("approve",))
    try:
        profiles.refuse_risky_override(step.provider_override or {})
    except RunsError as exc:
        yield Found(str(exc), ("provider_override",))


def _template(made: PipelineDef, step: StepDef, text: Text) -> Iterator[Found]:
    wrong = problems_in(text.text, is_expression=text.is_expression) or list(_references(made, step, text))
    for one in wrong:
        yield Found(one.message, text.path, one.line)


def _references(made: PipelineDef, step: StepDef, text: Text) -> Iterator[Wrong]:
    """A template sees the steps that its own depends on: others may not have ended."""
    for one in references_to(text.text, "previous", is_expression=text.is_expression):
        if one.message not in step.depends_on:
            told = f"previous.{one.message} is none of the steps it depends on{meant(one.message, step.depends_on)}"
            yield Wrong(told, one.line)
    for one in references_to(text.text, "answers", is_expression=text.is_expression):
        asked = made.step(one.message)
        if one.message not in step.depends_on or asked is None or asked.asked_afterwards is None:
            yield Wrong(f"answers.{one.message} is none of the steps with a checkpoint it depends on", one.line)
    for name, mode in (("item", Mode.PER_ITEM), ("source", Mode.FANOUT)):
        if step.mode is not mode and (line := line_of_use(text.text, name, is_expression=text.is_expression)):
            yield Wrong(f"`{name}` is there in steps of mode {mode} only", line)
