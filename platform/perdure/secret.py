"""Values that are made once and kept in the data directory, readable by their owner alone."""

import os
import secrets
from pathlib import Path


def keep_secret(path: Path, length: int = 50) -> str:
    """The text in `path`; made at random when there is none (mode 600, safe against two processes starting at once)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(length)[:length])
        try:
            # Not a rename: of two processes that start together both must end with the same value.
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()
