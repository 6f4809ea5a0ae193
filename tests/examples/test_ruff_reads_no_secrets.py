"""Ruff runs in folders that people name: what their configuration makes it read never comes back to them."""

from pathlib import Path
from typing import Any

import pytest

from examples.ruff import RuffFailed, run_ruff

SECRET = "top-secret-value"


@pytest.fixture
def data(settings: Any, tmp_path: Path) -> Path:
    """A data directory with a secret, and what a run wrote there: a configuration that names the secret as its base."""
    settings.DATA_DIR = tmp_path / "data"
    written = settings.DATA_DIR / "work" / "written"
    written.mkdir(parents=True)
    (settings.DATA_DIR / "secret-key").write_text(SECRET + "\n")
    (written / "ruff.toml").write_text(f'extend = "{settings.DATA_DIR / "secret-key"}"\n')
    (written / "a.py").write_text("import os\n")
    return Path(settings.DATA_DIR)


def test_a_folder_of_the_data_directory_is_refused(data: Path) -> None:
    with pytest.raises(RuffFailed, match="data directory"):
        run_ruff(str(data / "work" / "written"), ".")


def test_the_data_directory_inside_a_folder_is_left_out(data: Path) -> None:
    (data.parent / "b.py").write_text("import os\n")
    found = run_ruff(str(data.parent), "--output-format=concise", "--exit-zero", "--quiet", ".")
    assert "b.py" in found
    assert "a.py" not in found


def test_a_line_that_ruff_cannot_read_is_not_quoted(data: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "ruff.toml").write_text(f'extend = "{data / "secret-key"}"\n')
    with pytest.raises(RuffFailed, match="key with no value") as met:
        run_ruff(str(mine), ".")
    assert SECRET not in str(met.value)
