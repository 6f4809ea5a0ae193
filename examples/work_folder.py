"""Where examples write: a folder of each run below the data directory, never the folder that they read."""

from pathlib import Path
from uuid import UUID

from django.conf import settings


def work_folder(job: str, run_id: UUID) -> Path:
    """`<data directory>/work/<job>/<run>`; made when it is not there, readable for its owner alone."""
    folder = Path(settings.DATA_DIR) / "work" / job / str(run_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
