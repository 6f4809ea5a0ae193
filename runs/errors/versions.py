"""What moves to another version and rollouts are refused for."""

from runs.errors.base import RunsError


class RunNotMovable(RunsError):
    code = "run_not_movable"

    def __init__(self, run_id: object, status: str) -> None:
        super().__init__(f"Run {run_id} is {status}: its worker is at work on it. Pause it, then move it.")


class VersionUnfit(RunsError):
    """The replay check of a move: the run's history and the code of the other version do not go together."""

    code = "version_unfit"

    def __init__(self, run_id: object, version: str, problem: str) -> None:
        super().__init__(
            f"Version {version!r} does not fit what run {run_id} has recorded: {problem}. "
            "Move it to a version that fits, or start it again as a new run."
        )


class RolloutNotFound(RunsError):
    code = "rollout_not_found"

    def __init__(self, job: str) -> None:
        super().__init__(f"Job {job[:200]!r} is not being rolled out. Begin with a version and a percentage.")
