"""Empties the tables after a test with real transactions, in a fraction of the time of Django's `flush`.

`flush` truncates every table, and then makes all content types and permissions again: a third of the whole suite.
"""

import functools

from django.db import connections, transaction
from django.test import TransactionTestCase

_KEPT = {"django_migrations", "django_content_type", "auth_permission"}
"""What migrations wrote and no test changes."""


def install() -> None:
    TransactionTestCase._fixture_teardown = _empty_tables  # type: ignore[attr-defined]


def _empty_tables(test: TransactionTestCase) -> None:
    for name in test._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
        connection = connections[name]
        # Foreign keys are checked at the commit, so the order does not matter.
        with transaction.atomic(using=name), connection.cursor() as cursor:
            for table in tables_with_rows(connection, cursor):
                if table not in _KEPT:
                    cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


def tables_with_rows(connection, cursor) -> list[str]:  # type: ignore[no-untyped-def]
    """The names of the tables of models that are not empty."""
    cursor.execute(_looks())
    return [table for (table,) in cursor.fetchall()]


@functools.cache
def _looks() -> str:
    tables = connections["default"].introspection.django_table_names()
    return " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in tables)
