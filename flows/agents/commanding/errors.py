"""What a program fails with. `is_retryable` says whether the same call may go better another time."""

from runs.errors import RunsError


class CommandNotAllowed(RunsError):
    code = "command_not_allowed"
    is_retryable = False

    def __init__(self, name: str, known: list[str]) -> None:
        allowed = f"Allowed are: {', '.join(known)}." if known else "None is allowed here."
        super().__init__(
            f"No command {name[:100]!r} is allowed as an agent. {allowed} Name one of them in the persona, or have the "
            "operator add it to PERDURE_AGENT_COMMANDS."
        )


class CommandUnfit(RunsError):
    code = "command_unfit"
    is_retryable = False

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(
            f"Command {name[:100]!r} of PERDURE_AGENT_COMMANDS does not fit: {problem}. Have the operator correct it; "
            "`manage.py check` names what is wrong."
        )


class CommandMissing(RunsError):
    code = "command_missing"
    is_retryable = False

    def __init__(self, program: str) -> None:
        super().__init__(
            f"There is no program {program[:200]!r} where this worker runs. Install it, or give its absolute path in "
            "PERDURE_AGENT_COMMANDS."
        )


class CommandWithoutFolder(RunsError):
    code = "command_without_folder"
    is_retryable = False

    def __init__(self) -> None:
        super().__init__(
            "The run has no workspace, and a program works in one. Write `workspace: folder` into the flow's file and "
            "name a folder at the start."
        )


class CommandCrashed(RunsError):
    """It ended, or closed its output, without a result."""

    code = "command_crashed"

    def __init__(self, name: str, exit_code: int, said: str) -> None:
        last = f" Its last words: {said}" if said else ""
        super().__init__(
            f"Command {name!r} ended with exit code {exit_code} and gave no result. Look at what it says, and try it "
            f"by hand.{last}"
        )


class CommandTimeout(RunsError):
    code = "command_timeout"
    is_retryable = False

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(
            f"Command {name!r} took longer than {seconds:g} s and was stopped. Give it less to do, or more seconds in "
            "PERDURE_AGENT_COMMANDS."
        )


class CommandMisspoke(RunsError):
    """What it writes is not of its protocol, or more than anybody reads."""

    code = "command_misspoke"
    is_retryable = False

    def __init__(self, problem: str) -> None:
        super().__init__(f"The command {problem}. See that it speaks the protocol that PERDURE_AGENT_COMMANDS names.")


class TooManyQuestions(RunsError):
    code = "too_many_questions"
    is_retryable = False

    def __init__(self, name: str, most: int) -> None:
        super().__init__(
            f"Command {name!r} asked people {most} times in one step. Give the step a wider permission, or say more in "
            "its instruction."
        )
