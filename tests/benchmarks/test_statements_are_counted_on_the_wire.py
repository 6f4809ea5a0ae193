import psycopg

from benchmarks.wire import Counted, Wire


def test_statements_and_transactions_are_told_apart(postgresql_url: str) -> None:
    wire = Wire(postgresql_url)
    with psycopg.connect(wire.url, autocommit=True) as connection:
        wire.take()
        connection.execute("SELECT 1")
        with connection.transaction():
            connection.execute("SELECT %s", [1])
            connection.execute("SELECT 2")
        found = wire.take()
    wire.close()
    assert found == Counted(statements=5, transactions=2)  # BEGIN and COMMIT are statements too
