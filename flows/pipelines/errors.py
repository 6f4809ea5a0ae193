"""What a pipeline can be refused for; every message ends with the remedy."""

from collections.abc import Sequence
from typing import Any

from flows.documents import Problem
from runs.errors import RunsError

TOLD_AT_MOST = 50


class InvalidPipeline(RunsError):
    """A document that is no pipeline; `problems` in the order of their lines."""

    code = "invalid_pipeline"

    def __init__(self, problems: Sequence[Problem], origin: str = "") -> None:
        self.problems = sorted(problems, key=lambda one: one.line)[:TOLD_AT_MOST]
        told = "; ".join(str(one) for one in self.problems[:5])
        more = f" (and {len(problems) - 5} more)" if len(problems) > 5 else ""
        where = f" in {origin}" if origin else ""
        end = "" if told.endswith(("?", ".")) and not more else "."
        super().__init__(f"This is no pipeline{where}: {told}{more}{end} Correct the lines named and load it again.")

    @property
    def details(self) -> dict[str, Any]:
        return {"problems": [{"message": one.message, "path": one.path, "line": one.line} for one in self.problems]}


class PipelineNotFound(RunsError):
    code = "pipeline_not_found"

    def __init__(self, type_: object, version: object = None, near: str = "") -> None:
        which = f"{str(type_)[:100]!r}" + (f" in version {str(version)[:100]!r}" if version is not None else "")
        hint = f" Did you mean {near!r}?" if near else ""
        super().__init__(f"There is no pipeline {which}.{hint} List the types, and name one of them.")


class PipelineExists(RunsError):
    code = "pipeline_exists"

    def __init__(self, type_: str, version: str, why: str) -> None:
        super().__init__(f"Pipeline {type_!r} {version!r} cannot be stored: {why}. Store it under another version.")


class StepNotInPipeline(RunsError):
    code = "step_not_in_pipeline"

    def __init__(self, step_id: object, type_: str) -> None:
        super().__init__(
            f"step {str(step_id)[:100]} not found in pipeline {type_!r}. Name one of the steps of its definition."
        )


class InvalidPipelineInput(RunsError):
    """`fields` is a list of `{"field", "message"}`."""

    code = "invalid_pipeline_input"

    def __init__(self, fields: list[dict[str, str]]) -> None:
        self.fields = fields[:TOLD_AT_MOST]
        told = "; ".join(f"{field['field']}: {field['message']}" for field in fields[:5])
        super().__init__(f"The input does not fit a pipeline: {told}. Send sources and options as documented.")

    @property
    def details(self) -> dict[str, Any]:
        return {"fields": self.fields}


class TemplateRefused(RunsError):
    """A template that does more than templates may, or fails with what it was given."""

    code = "template_refused"

    def __init__(self, problem: str, line: int = 0) -> None:
        self.problem, self.line = problem.rstrip("."), line
        super().__init__(f"The template is refused: {self.problem}. See the names and filters a template may use.")


class UnusableOutput(RunsError):
    """What a step gave does not have the form that the step declares."""

    code = "unusable_output"

    def __init__(self, step_id: str, problem: str) -> None:
        super().__init__(f"What step {step_id!r} gave cannot be used: {problem}. Correct the step or its output_type.")


class ToolCallDenied(RunsError):
    """People did not approve the call of a step of kind tool."""

    code = "tool_call_denied"
    is_retryable = False

    def __init__(self, tool: str, reason: str) -> None:
        super().__init__(f"The call of {tool!r} was not made: {reason.rstrip('.')}. Retry the run to ask again.")


class PartFailed(RunsError):
    """What a step's model call failed with: the result that was to be made of it failed too."""

    code = "part_failed"
    is_retryable = False

    def __init__(self, part: str, error: dict[str, Any]) -> None:
        super().__init__(f"{part!r} failed with {error.get('type')}: {error.get('message')}")


class TooManyShards(RunsError):
    """A step would fall into more shards than one run may have of a step."""

    code = "too_many_shards"

    def __init__(self, step_id: str, count: int, most: int) -> None:
        super().__init__(f"Step {step_id!r} would have {count} shards, and {most} is the most. Give it larger items.")
