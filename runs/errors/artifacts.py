"""What saving and reading artefacts fails with."""

from runs.errors.base import RunsError
from runs.errors.steps import StorageError


class InvalidArtifact(RunsError):
    code = "invalid_artifact"

    def __init__(self, name: object, problem: str) -> None:
        super().__init__(
            f"Artefact {str(name)[:100]!r} {problem}. Use a plain name as 'report.md', text or bytes, and a media type "
            "as 'text/markdown'."
        )


class ArtifactTooLarge(StorageError):
    code = "artifact_too_large"

    def __init__(self, name: str, size: int, limit: int) -> None:
        RunsError.__init__(
            self,
            f"Artefact {name!r} is {size} bytes and the limit is {limit}. "
            "Save it in parts, or raise RUNS_MAX_ARTIFACT_BYTES.",
        )


class ArtifactNotFound(RunsError):
    code = "artifact_not_found"

    def __init__(self, run_id: object, name: str, version: int | None = None, *, lost: bool = False) -> None:
        which = f"artefact {name[:100]!r}" + (f" in version {version}" if version is not None else "")
        if lost:
            problem = f"The file of {which} of run {run_id} is not in the storage any more. Restore it from a backup."
        else:
            problem = f"Run {run_id} has no {which}. Look at its list of artefacts."
        super().__init__(problem)
