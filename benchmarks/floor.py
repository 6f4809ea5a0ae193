"""The floor: one INSERT and COMMIT of 1 KB, in a plain psycopg or sqlite3 loop."""

import json
import sqlite3
import time
from pathlib import Path

import psycopg

ROWS = 500
PAYLOAD = json.dumps({"text": "x" * 1000})


def postgresql_ms(url: str) -> float:
    """Milliseconds for one INSERT + COMMIT, by the mean of ROWS."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bench_floor (id bigserial PRIMARY KEY, data jsonb)")
        begun = time.perf_counter()
        for _ in range(ROWS):
            connection.execute("INSERT INTO bench_floor (data) VALUES (%s)", [PAYLOAD])
        return (time.perf_counter() - begun) * 1000 / ROWS


def sqlite_ms(path: Path) -> float:
    """The same on SQLite with WAL and synchronous=FULL."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS bench_floor (id integer PRIMARY KEY, data text)")
    begun = time.perf_counter()
    for _ in range(ROWS):
        connection.execute("INSERT INTO bench_floor (data) VALUES (?)", [PAYLOAD])
    taken = (time.perf_counter() - begun) * 1000 / ROWS
    connection.close()
    return taken
