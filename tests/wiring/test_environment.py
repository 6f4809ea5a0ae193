"""Environment variables become settings, or a message that names the mistake."""

import os
import subprocess
import sys

import pytest

from perdure.environment import Environment, database_from_url, email_from_url, prefixed
from perdure.secret import keep_secret
from runs.conf import RunsSettings


def test_lists_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("PERDURE_ALLOWED_HOSTS", "a.example, b.example,")
    assert Environment().allowed_hosts == ["a.example", "b.example"]


def test_queues_and_their_limits_are_lists(monkeypatch):
    monkeypatch.setenv("PERDURE_QUEUES", "default, mail")
    monkeypatch.setenv("PERDURE_QUEUE_LIMITS", "gpu=2, mail = 10,")
    assert Environment().queues == ["default", "mail"]
    assert Environment().queue_limits == {"gpu": 2, "mail": 10}


@pytest.mark.parametrize("limits", ["gpu", "gpu=", "=2", "gpu=0", "gpu=many", "gpu=-1"])
def test_a_limit_that_does_not_fit_is_refused(monkeypatch, limits):
    monkeypatch.setenv("PERDURE_QUEUE_LIMITS", limits)
    with pytest.raises(ValueError, match="queue_limits"):
        Environment()


def test_a_postgresql_url_may_name_a_socket_and_an_encoded_password():
    found = database_from_url("postgres://me:p%40ss@/runs?host=/run/pg&sslmode=disable")
    assert (found["NAME"], found["USER"], found["PASSWORD"], found["HOST"]) == ("runs", "me", "p@ss", "/run/pg")
    assert found["OPTIONS"]["sslmode"] == "disable"


def test_a_server_that_is_gone_without_a_word_is_noticed_and_the_url_may_say_when():
    found = database_from_url("postgres://me@server/runs?connect_timeout=3")["OPTIONS"]
    assert found["connect_timeout"] == "3"
    assert int(found["keepalives_idle"]) + int(found["keepalives_interval"]) * int(found["keepalives_count"]) <= 30
    assert int(found["tcp_user_timeout"]) <= 30_000


def test_sqlite_is_durable_and_takes_the_write_lock_first():
    options = database_from_url("sqlite:////tmp/x.sqlite3")["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "synchronous=FULL" in options["init_command"]


def test_an_unknown_database_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"'mysql'; use postgres://user@host:port/name"):
        database_from_url("mysql://x/y")


def test_smtp_with_a_user_uses_starttls():
    found = email_from_url("smtp://me:secret@mail.example")
    assert (found["EMAIL_PORT"], found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (587, True, False)


def test_engine_settings_have_the_types_of_their_fields():
    found = prefixed(RunsSettings, "RUNS_", {"RUNS_LEASE_SECONDS": "2", "RUNS_CONCURRENCY": "7", "RUNS_THREADS": ""})
    assert found == {"RUNS_LEASE_SECONDS": 2.0, "RUNS_CONCURRENCY": 7}


def test_a_value_that_does_not_fit_ends_the_start_and_names_the_field(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "import perdure.settings"],
        env={**os.environ, "PERDURE_DATA_DIR": str(tmp_path), "PERDURE_WORKERS": "0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "workers" in done.stderr
    assert "give 1 or more" in done.stderr


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path):
    path = tmp_path / "deep" / "secret-key"
    first = keep_secret(path)
    assert len(first) == 50
    assert keep_secret(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret-key"]


def test_processes_that_start_together_get_one_secret(tmp_path):
    path = f"Path({str(tmp_path)!r}) / 'key'"
    code = f"from pathlib import Path; from perdure.secret import keep_secret; print(keep_secret({path}))"
    command = [sys.executable, "-c", code]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({process.communicate()[0] for process in started}) == 1
