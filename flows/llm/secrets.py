"""Where the secrets that profiles name are read: at each call, and kept nowhere."""

import os
from pathlib import Path

from pydantic import SecretStr

from flows.llm.conf import get_settings
from flows.llm.errors import SecretMissing
from flows.llm.spec import ProfileSpec

MAX_BYTES = 16 * 1024


def read_secret(profile_id: str, spec: ProfileSpec) -> SecretStr | None:
    """The secret that the profile names; None when it names none. Raises SecretMissing."""
    if spec.api_key_env:
        found = os.environ.get(spec.api_key_env, "").strip()
        named = f"the variable {spec.api_key_env}"
    elif spec.secret_file:
        found, named = _read(spec.secret_file), f"the file {spec.secret_file!r}"
    else:
        return None
    if not found:
        raise SecretMissing(profile_id, named)
    return SecretStr(found)


def _read(name: str) -> str:
    """Empty for what is no readable file of the folder; a link that leaves it is none."""
    path = inside(get_settings().secret_folder, name)
    try:
        if path is None or path.stat().st_size > MAX_BYTES:
            return ""
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def inside(folder: str, name: str) -> Path | None:
    """The file `name` of `folder` with its links followed; None if that is elsewhere, or no file."""
    root = Path(folder).resolve()
    path = (root / name).resolve()
    return path if folder and path.is_relative_to(root) and path.is_file() else None
