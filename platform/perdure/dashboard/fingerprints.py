"""Failures of one cause, told by what their errors have in common: the type, and the message without what differs."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Left

from runs.models import Run

_READ = 500
"""Characters of a message: what tells causes apart stands at its beginning."""

# In this order: an id holds numbers, and a quoted value anything.
_DIFFERS = (
    (re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`"), "…"),
    (re.compile(r"https?://\S+"), "<address>"),
    (re.compile(r"\b[\w-]+(?:\.[\w-]+)+:\d+\b"), "<host>"),
    (re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "<mail>"),
    (re.compile(r"(?<![\w<])(?:/[\w.@+-]+){2,}"), "<path>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b(?=\w*\d)(?=\w*[a-z])\w{6,}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"[-+]?\d+(?:[.,:]\d+)*"), "<n>"),
    (re.compile(r"\s+"), " "),
)


def general(error: Mapping[str, Any] | None) -> str:
    """What errors of one cause have in common, for people: `ValueError: no row <n> in …`."""
    error = error or {}
    message = str(error.get("message") or "")[:_READ]
    for differs, put in _DIFFERS:
        message = differs.sub(put, message)
    return f"{error.get('type') or 'Error'}: {message.strip()}".removesuffix(": ")


def fingerprint(error: Mapping[str, Any] | None) -> str:
    """16 letters that stand in addresses: the same for errors of one type whose messages differ in numbers, ids,
    addresses, hosts, paths and quoted values only."""
    return sha256(general(error).encode("utf-8", "replace")).hexdigest()[:16]


def errors_of(failed: QuerySet[Run], *fields: str) -> Any:
    """Rows of (id, type, message, *fields) without the rest of the error: a traceback is long, and thousands are
    read."""
    shown = failed.annotate(error_type=KT("error__type"), error_message=Left(KT("error__message"), _READ))
    return shown.values_list("id", "error_type", "error_message", *fields)
