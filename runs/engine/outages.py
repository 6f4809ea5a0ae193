"""Why a database refuses for now, in words, with what to do about it; runs go on by themselves when it is done."""

from typing import Final

from django.db import InterfaceError, OperationalError

_REMEDIES: Final = (
    # as PostgreSQL and SQLite say it; a refused connection carries no SQLSTATE
    (
        ("no space left", "disk is full", "disk full", "file too large", "disk i/o", "could not extend file"),
        "its disk is full or broken. Free space there",
    ),
    (
        ("readonly", "read-only", "unable to open"),
        "it may not be written. Give the worker's user the right to write the file and its folder, or end the "
        "read-only mode (default_transaction_read_only, a standby)",
    ),
    (
        ("too many connections", "too many clients", "remaining connection slots"),
        "all its connections are taken. Raise max_connections or the limit of the role or database, or start fewer "
        "workers",
    ),
    (
        ("no such table", "no such column", "does not exist"),
        "it, its role or its tables are not there. Check DATABASE_URL and run `manage.py migrate`",
    ),
    (("locked", "busy"), "another process holds its write lock. End what holds it"),
    (("authentication failed", "no pg_hba.conf entry"), "it does not let this user in. Correct DATABASE_URL"),
)
_UNKNOWN: Final = "it does not answer. Is it up?"


def describe(exc: BaseException) -> str:
    """One line: the cause, the remedy, and what the database said."""
    said = " ".join(str(exc).split())
    known = (remedy for words, remedy in _REMEDIES if any(word in said.lower() for word in words))
    return f"{next(known, _UNKNOWN).rstrip('.')}. It says: {said[:300]}"


def is_outage(exc: Exception) -> bool:
    """Whether the same statement may pass later, though nothing of it is changed."""
    # PostgreSQL's refusal to write in read-only mode arrives as an InternalError
    return isinstance(exc, OperationalError | InterfaceError) or getattr(exc.__cause__, "sqlstate", None) == "25006"
