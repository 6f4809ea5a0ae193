"""A thread's connection to PostgreSQL on which the engine's large statements are parsed and planned once."""

from typing import Any

import psycopg
from django.db import connection

_SETTINGS = (
    "SELECT set_config(name, value, false) FROM (VALUES ('plan_cache_mode', 'force_generic_plan'),"
    " ('enable_seqscan', 'off'), ('jit', 'off')) AS s(name, value)"
)

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


def fetch_often(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
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
