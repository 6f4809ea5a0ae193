from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.pipelines import files, registry


@pytest.fixture
def own_pipelines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes documents the files of this installation, in place of those that apps bring."""

    def use(*documents: str) -> None:
        for number, text in enumerate(documents):
            (tmp_path / f"p{number}.yaml").write_text(text)
        loaded = files.load_folders([tmp_path])
        assert not loaded.problems, loaded.problems
        monkeypatch.setattr(files, "loaded", lambda: loaded)

    return use


@pytest.fixture(autouse=True)
def _own_functions() -> Iterator[None]:
    """Functions that a test registers are gone afterwards."""
    before = set(registry.function_names())
    yield
    for name in set(registry.function_names()) - before:
        registry._functions.forget(name)
