"""What a database says becomes a cause and a remedy."""

from pathlib import Path

import pytest

from runs.engine.outages import _REMEDIES, describe

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "howto" / "when-it-breaks.md"

SAID = {
    "database or disk is full": "its disk is full",
    'could not extend file "base/5/1": No space left on device\nHINT:  Check free disk space.': "its disk is full",
    "attempt to write a readonly database": "it may not be written",
    "cannot execute UPDATE in a read-only transaction": "it may not be written",
    "unable to open database file": "it may not be written",
    'connection failed: FATAL:  too many connections for role "x"': "all its connections are taken",
    "FATAL:  sorry, too many clients already": "all its connections are taken",
    "FATAL:  remaining connection slots are reserved for roles with SUPERUSER": "all its connections are taken",
    "database is locked": "another process holds its write lock",
    "no such table: runs_run": "it, its role or its tables are not there",
    'relation "runs_run" does not exist': "it, its role or its tables are not there",
    'FATAL:  password authentication failed for user "x"': "it does not let this user in",
    "connection refused": "it does not answer. Is it up",
    "": "it does not answer. Is it up",
}


@pytest.mark.parametrize("said", SAID)
def test_a_cause_comes_with_its_remedy_and_with_what_was_said(said: str) -> None:
    line = describe(RuntimeError(said))
    assert line.startswith(SAID[said])
    assert line.endswith(f". It says: {' '.join(said.split())}")


@pytest.mark.parametrize("remedy", [remedy for _, remedy in _REMEDIES])
def test_the_page_for_operators_has_every_cause(remedy: str) -> None:
    assert remedy.replace("`", "") in PAGE.read_text()
