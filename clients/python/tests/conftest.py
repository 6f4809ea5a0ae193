"""The running server that `python -m clients.fixtures python` gives, and the cases that all clients share."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perdure_client import PerdureClient

try:
    URL, CUT_URL, TOKEN = (os.environ[f"PERDURE_{name}"] for name in ("URL", "CUT_URL", "TOKEN"))
    CASES: dict[str, Any] = json.loads(Path(os.environ["PERDURE_CASES"]).read_text())
except KeyError as exc:
    raise SystemExit(f"{exc} is not set. These tests need a running server: make test-clients.") from exc


@pytest.fixture
def client() -> Iterator[PerdureClient]:
    with PerdureClient(URL, TOKEN) as made:
        yield made


@pytest.fixture
def cut_client() -> Iterator[PerdureClient]:
    """Its streams are cut at every tenth event."""
    with PerdureClient(CUT_URL, TOKEN) as made:
        yield made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`case` of a test in `test_<name>` is each of the cases under that name."""
    if "case" in metafunc.fixturenames:
        cases = CASES[metafunc.definition.get_closest_marker("cases").args[0]]  # type: ignore[union-attr]
        metafunc.parametrize("case", cases, ids=[case["name"] for case in cases])
