"""The approved change, written beside the source."""

from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from examples.code_review.diff import parse_diff
from examples.code_review.errors import SourceChanged
from examples.code_review.patching import versions_of
from examples.code_review.schema import Written
from examples.work_folder import work_folder

DIFF_FILE = "change.diff"


def apply_change(job: str, run_id: UUID, folder: str, diff: str, digests: Mapping[str, str]) -> Written:
    """Write the diff and the changed files into the work folder of a run of `job`.

    `digests` are those of the files that were reviewed. Raises SourceChanged, DoesNotApply; then nothing is written.
    Written again after a crash, the files are the same.
    """
    found = [versions_of(folder, change) for change in parse_diff(diff)]
    for one in found:
        if one.digest != digests.get(one.path):
            raise SourceChanged(one.path)
    target = work_folder(job, run_id)
    (target / DIFF_FILE).write_text(diff, newline="")
    files = [_write(target / "files" / one.path, one.after) for one in found if one.after is not None]
    return Written(folder=str(target), files=files)


def _write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, newline="")
    return str(path)
