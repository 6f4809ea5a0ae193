"""What tools fail with. A model is told the message, so that it can correct itself."""

from pydantic import ValidationError

from runs.errors import RunsError, StorageError


class InvalidTool(RunsError):
    """Raised where a tool is declared, or handed to a model: the function or its options do not fit."""

    code = "invalid_tool"

    def __init__(self, name: str, problem: str, remedy: str) -> None:
        super().__init__(f"Tool {name[:100]!r} {problem}. {remedy}")


class UnknownTool(RunsError):
    code = "unknown_tool"
    is_retryable = False

    def __init__(self, name: str, known: list[str]) -> None:
        shown = ascii(name[:64])
        super().__init__(f"There is no tool {shown}. Call one of: {', '.join(known) or '(none)'}.")


class ArgumentsUnfit(RunsError):
    """Arguments that the tool's parameters do not take; names each of the first few."""

    code = "arguments_unfit"
    is_retryable = False

    def __init__(self, name: str, error: ValidationError) -> None:
        found = error.errors(include_url=False, include_input=False)
        named = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}" for one in found[:10])
        super().__init__(f"The arguments do not fit {name}: {named[:1500]}. Correct them and call it again.")


class ToolRefused(RunsError):
    """Raised by a tool that may not do what it was asked: trying the same again changes nothing."""

    code = "tool_refused"
    is_retryable = False

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}")


class ResultUnfit(StorageError):
    """What a tool returned is no JSON."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"The result of tool {name!r}", problem)
