"""Failures of one cause have one fingerprint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.dashboard.fingerprints import fingerprint, general


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("row 12 is missing", "row 99,401 is missing"),
        ("no user 'olga' here", 'no user "sven" here'),
        ("run 01939393-0000-7000-8000-000000000000 is gone", "run 01939393-0000-7000-8000-00000000000f is gone"),
        ("commit 4f2a91bc is unknown", "commit 77aa01de is unknown"),
        ("GET https://one.example/a failed", "GET https://two.example/b?c=1 failed"),
        ("files.acme.example:22 refused", "files.blue.example:2222 refused"),
        ("no mail to olga@one.example", "no mail to s.berg@two.example"),
        ("cannot read /srv/in/a.csv now", "cannot read /srv/in/2026/b.csv now"),
        ("took 3.5 s\nat line 7", "took 12.25 s at line 8"),
    ],
)
def test_numbers_ids_addresses_hosts_paths_and_quoted_values_do_not_tell_errors_apart(one: str, other: str) -> None:
    assert fingerprint({"type": "E", "message": one}) == fingerprint({"type": "E", "message": other})


def test_the_type_and_the_words_do() -> None:
    seen = {fingerprint({"type": kind, "message": said}) for kind in ("A", "B") for said in ("no row", "no table")}
    assert len(seen) == 4


def test_what_errors_have_in_common_reads_well() -> None:
    assert general({"type": "KeyError", "message": "'order-7' in batch 12"}) == "KeyError: … in batch <n>"
    assert general({"type": "Stopped"}) == "Stopped"
    assert general(None) == "Error"


@given(st.dictionaries(st.sampled_from(["type", "message", "traceback"]), st.text() | st.none() | st.integers()))
def test_any_error_has_one(error: dict[str, object]) -> None:
    assert len(fingerprint(error)) == 16
