"""A thread's connection to PostgreSQL on which the engine's statements are parsed and planned once."""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection
from psycopg import pq

_SETTINGS = (
    "SELECT set_config(name, value, false) FROM (VALUES ('plan_cache_mode', 'force_generic_plan'),"
    " ('enable_seqscan', 'off'), ('jit', 'off')) AS s(name, value)"
)
_names: "WeakKeyDictionary[psycopg.Connection[Any], dict[str, bytes]]" = WeakKeyDictionary()

_OFTEN = 5
"""After so many times a statement is prepared: it takes one more round trip."""


def prepared_connection() -> "psycopg.Connection[Any]":
    """Django's connection of this thread; planning such a statement takes longer than running it.

    Django's own cursor sends each statement with its values in the text, to be parsed and planned anew. A plan is made
    while the table may be empty, and used when it is full: it must be the one by the indexes. Inside a transaction
    nothing is set: there the session is the job's code's. Raises Django's errors of the database.
    """
    connection.ensure_connection()
    link: psycopg.Connection[Any] = connection.connection
    if link.prepare_threshold is None and not connection.in_atomic_block:
        with connection.wrap_database_errors:
            link.execute(_SETTINGS)
        link.prepare_threshold = 5  # only now: a session without the settings would keep a bad plan
    return link


def fetch_often(statement: str, parameters: list[Any] | dict[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement that a connection which sends it again and again parses and plans only once.

    For what needs no other settings than the session has, so on whoever's connection, and seen by whoever watches its
    queries. Behind a pooler that gives each transaction another session nothing is prepared: Django's
    DISABLE_SERVER_SIDE_CURSORS says so. Raises Django's errors of the database.
    """
    connection.ensure_connection()
    link: psycopg.Connection[Any] = connection.connection
    before = link.prepare_threshold
    if not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        link.prepare_threshold = before or _OFTEN
    wrapped: Any = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    try:
        with wrapped(psycopg.Cursor(link)) as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())
    finally:
        link.prepare_threshold = before


def execute(statement: str, values: Sequence[str | None]) -> list[tuple[str | None, ...]]:
    """The rows of a statement whose values, `$1` and on, and results are PostgreSQL's text form.

    By libpq itself: psycopg's cursor takes longer to look at thirty values than the server to store them. Raises
    Django's errors of the database.
    """
    link = prepared_connection()
    sent: Any = [None if value is None else value.encode() for value in values]
    with connection.wrap_database_errors:
        if connection.in_atomic_block:  # there, the session is the job's code's, and may not be one of ours
            return _rows(link, link.pgconn.exec_params(statement.encode(), sent))
        return _rows(link, link.pgconn.exec_prepared(_name(link, statement), sent))


def is_prepared(link: "psycopg.Connection[Any]", statement: str) -> bool:
    """Whether the statement can be sent on the connection as it is now."""
    return not link.closed and statement in _names.get(link, {})


def send(link: "psycopg.Connection[Any]", statement: str, values: Sequence[str | None]) -> None:
    """Send a statement that is prepared, and do not wait. Raises psycopg's errors."""
    sent: Any = [None if value is None else value.encode() for value in values]
    link.pgconn.send_query_prepared(_names[link][statement], sent)


def push(link: "psycopg.Connection[Any]") -> bool:
    """Send what is left of a statement that was sent; whether all of it is out. Raises psycopg's errors."""
    return link.pgconn.flush() == 0


def has_answered(link: "psycopg.Connection[Any]") -> bool:
    """Read what has come; whether it is all of the answer. Raises psycopg's errors."""
    link.pgconn.consume_input()
    return not link.pgconn.is_busy()


def answer(link: "psycopg.Connection[Any]") -> list[tuple[str | None, ...]]:
    """The rows of the one statement that was sent. Raises psycopg's errors.

    The last that comes is what holds: the rows are sent before the commit, and after them that it has failed.
    """
    last = None
    while (result := link.pgconn.get_result()) is not None:
        last = result
    if last is None:
        raise psycopg.OperationalError("the connection is gone")
    return _rows(link, last)


def _name(link: "psycopg.Connection[Any]", statement: str) -> bytes:
    names = _names.setdefault(link, {})
    if statement not in names:
        name = f"perdure_{len(names)}".encode()
        _rows(link, link.pgconn.prepare(name, statement.encode()))
        names[statement] = name
    return names[statement]


def _rows(link: "psycopg.Connection[Any]", result: "pq.abc.PGresult") -> list[tuple[str | None, ...]]:
    if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        if link.pgconn.status == pq.ConnStatus.BAD:  # what libpq says of a cut has no SQLSTATE
            raise psycopg.OperationalError(result.get_error_message(link.info.encoding))
        raise psycopg.errors.error_from_result(result, encoding=link.info.encoding)
    return [
        tuple(None if (value := result.get_value(row, column)) is None else value.decode() for column in columns)
        for columns in [range(result.nfields)]
        for row in range(result.ntuples)
    ]


def fetch_all(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    """The rows of a small read on either database, as the columns hold them: JSON is text."""
    if connection.vendor == "postgresql":
        return fetch_often(statement, parameters)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
