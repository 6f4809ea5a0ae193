"""What a workspace is refused for."""

from runs.errors import RunsError


class WorkspaceRefused(RunsError):
    """The folder that was named may not be used, or nothing can be made of it."""

    code = "workspace_refused"
    is_retryable = False

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}")


class GitFailed(RunsError):
    code = "git_failed"

    def __init__(self, what: str, told: str) -> None:
        super().__init__(f"git {what} failed: {told[-1000:].strip() or 'it said nothing'}. Try it by hand there.")
