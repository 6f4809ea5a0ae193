"""Which folders may be read as text. Measures are shown of any folder; text only of those that an operator allowed."""

from pathlib import Path

from django.conf import settings

from examples.repository_report.folder import FolderNotUsable, open_folder, own_source
from examples.sources.errors import FolderNotAllowed
from flows.llm.tools.conf import get_settings


def allowed_folder(folder: str) -> Path:
    """The folder, resolved: Perdure's own source, or one inside the folders that tools are allowed.

    Raises FolderNotAllowed.
    """
    try:
        root = open_folder(folder)
    except FolderNotUsable as exc:
        raise FolderNotAllowed(folder, "is no folder that can be read") from exc
    allowed = [own_source(), *(Path(one).expanduser().resolve() for one in get_settings().folders)]
    if not any(root.is_relative_to(one) for one in allowed):
        raise FolderNotAllowed(folder, "is outside of the folders that may be shown")
    if is_own_data(root):
        raise FolderNotAllowed(folder, "lies in Perdure's data directory")
    return root


def is_own_data(path: Path) -> bool:
    """The data directory holds keys, passwords and what other runs wrote."""
    return path.is_relative_to(Path(settings.DATA_DIR).resolve())
