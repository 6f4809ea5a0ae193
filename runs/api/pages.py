"""Cursor pages: `{"results", "next", "previous"}`, stable while rows are added."""

import base64
import binascii
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from runs.api.errors import InvalidRequest

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

M = TypeVar("M", bound=Model)


def page(
    request: Request, rows: QuerySet[M], shape: Callable[[M], dict[str, Any]], *, newest_first: bool = False,
    prepare: Callable[[list[M]], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """One page of `rows` by primary key. Raises InvalidRequest for a bad `cursor` or `limit`.

    `prepare(rows)` is given those of the page before they are shaped.

    The key is the cursor: unlike an offset it neither repeats nor skips a row when others appear.
    """
    limit = _limit(request)
    key_type: type = UUID if rows.model._meta.pk.get_internal_type() == "UUIDField" else int
    cursor = request.query_params.get("cursor")
    backwards, key = _decode(cursor, key_type) if cursor is not None else (False, None)
    descending = newest_first != backwards
    found = rows.order_by("-pk" if descending else "pk")
    if key is not None:
        found = found.filter(**{"pk__lt" if descending else "pk__gt": key})
    fetched = list(found[: limit + 1])
    more, shown = len(fetched) > limit, fetched[:limit]
    if backwards:
        shown.reverse()
    if prepare is not None:
        prepare(shown)
    return {
        "results": [shape(row) for row in shown],
        "next": _link(request, False, shown[-1]) if shown and (more or backwards) else None,
        "previous": _link(request, True, shown[0]) if shown and (more if backwards else key is not None) else None,
    }


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= MAX_LIMIT):
        raise InvalidRequest.of("limit", f"must be a number from 1 to {MAX_LIMIT}")
    return int(text)


def _link(request: Request, backwards: bool, row: Model) -> str:
    text = f"{'p' if backwards else 'n'}{row.pk}"
    cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return replace_query_param(request.build_absolute_uri(), "cursor", cursor)


def _decode(cursor: str, key_type: type) -> tuple[bool, Any]:
    try:
        text = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True).decode(
            "ascii"
        )
        if text[:1] not in ("n", "p") or len(text) > 40:
            raise ValueError(text)
        key = key_type(text[1:])
        if isinstance(key, int) and not 0 <= key < 2**63:
            raise ValueError(text)
    except (ValueError, binascii.Error) as exc:
        raise InvalidRequest.of("cursor", "is not one that this list gave; follow 'next' and 'previous'") from exc
    return text[0] == "p", key
