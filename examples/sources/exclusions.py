"""What a folder's own `.gitignore` files leave out, at least of what they mostly say, and names that secrets have."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

_MOST_CHARACTERS = 100_000
_MOST_STARS = 8
_SECRET_NAMES = (
    "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.kdbx", "id_rsa*", "id_ed25519*", "*credential*", "*password*",
    "*.env",
)  # fmt: skip
_SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bsk-[A-Za-z0-9_-]{32,}"
)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One line of a `.gitignore`; the last that fits decides."""

    pattern: re.Pattern[str]
    keeps: bool
    folders_only: bool


def read_exclusions(folder: Path, inside: str) -> list[Exclusion]:
    """Of the `.gitignore` in `folder`, which is at the path `inside` below the root."""
    file = folder / ".gitignore"
    try:
        text = file.read_text(errors="replace")[:_MOST_CHARACTERS] if not file.is_symlink() else ""
    except OSError:
        return []
    lines = (line.rstrip() for line in text.splitlines())
    said = (line for line in lines if line and not line.startswith("#"))
    # many stars in one line take a regular expression for ever
    return [_exclusion(line, inside) for line in said if len(line) < 500 and line.count("*") <= _MOST_STARS]


def is_excluded(path: str, is_folder: bool, exclusions: Iterable[Exclusion]) -> bool:
    """Whether the last exclusion that fits leaves `path` out."""
    excluded = False
    for one in exclusions:
        if (is_folder or not one.folders_only) and one.pattern.fullmatch(path):
            excluded = not one.keeps
    return excluded


def is_secret_name(name: str) -> bool:
    """Hidden files too: tools keep their tokens there."""
    return name.startswith(".") or any(fnmatch(name.lower(), one) for one in _SECRET_NAMES)


def holds_secret(text: str) -> bool:
    """Whether it has a private key, or what looks like a well-known vendor's token."""
    return _SECRETS.search(text) is not None


def _exclusion(line: str, inside: str) -> Exclusion:
    keeps, line = line.startswith("!"), line.removeprefix("!")
    folders_only, line = line.endswith("/"), line.rstrip("/")
    anywhere = "" if "/" in line else "(?:.*/)?"
    place = f"{re.escape(inside)}/" if inside else ""
    return Exclusion(re.compile(place + anywhere + _translated(line.lstrip("/"))), keeps, folders_only)


def _translated(pattern: str) -> str:
    """`**` crosses folders, `*` and `?` do not."""
    parts = re.split(r"(\*\*/|\*+|\?)", pattern)
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(signs.get(part, "[^/]*" if part.startswith("***") else re.escape(part)) for part in parts)
