"""The people of the REST tests, around pipelines without a model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.pipelines import files
from runs.testing import drain
from tests.api.client import ApiClient
from tests.api.conftest import (  # noqa: F401
    alice,
    anonymous,
    api,
    as_admin,
    as_bob,
    as_mallory,
    bob,
    mallory,
    nothing_changes,
    team,
)

NOTES = """
type: notes
version: "1"
title: Notes
steps:
  - {id: read, kind: map, mode: fanout, prompt: {user: "{{ source.content | upper }}"}}
  - {id: judge, kind: map, mode: per_item, depends_on: [read], export: true, prompt: {user: "{{ item.data.text }}!"}}
  - {id: join, kind: reduce, depends_on: [judge], export: true, export_tag: all}
"""
BREAKING = """
type: {type}
version: "1"
on_failure: {policy}
steps:
  - {{id: read, kind: map, mode: fanout, prompt: {{user: "{{{{ 1 // (source.label != 'note 1') }}}}"}}}}
  - {{id: join, kind: reduce, depends_on: [read], export: true}}
"""
PIPELINES = ["may-fail", "may-skip", "notes"]
SOURCES = [{"kind": "note", "label": f"note {number}", "content": f"text {number}"} for number in range(3)]
INPUT = {"sources": SOURCES, "options": {}}
Start = Callable[..., str]


@pytest.fixture(autouse=True)
def _pipelines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    (tmp_path / "notes.yaml").write_text(NOTES)
    for policy in ("fail", "skip"):
        (tmp_path / f"{policy}.yaml").write_text(BREAKING.format(type=f"may-{policy}", policy=policy))
    loaded = files.load_folders([tmp_path])
    assert not loaded.problems, loaded.problems
    monkeypatch.setattr(files, "loaded", lambda: loaded)
    settings.RUNS_UNLOAD_AFTER = 0.05


@pytest.fixture
def start(api: ApiClient) -> Start:  # noqa: F811
    """Starts a job of alice's, and works on it unless told otherwise; its id."""

    def make(*, work: bool = True, **body: Any) -> str:
        answer = api.send("/v1/jobs", {"pipeline_type": "notes", "input": INPUT, "team": "night shift"} | body)
        assert answer.status_code == 202, answer.content
        if work:
            drain()
        return str(answer.json()["job"]["id"])

    return make


def error_of(response: Any, status: int, code: str) -> dict[str, Any]:
    """The error of a refusal, after checking that it has the shape of this API and says what to do."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"].startswith("application/json")
    body = response.json()
    assert body.keys() == {"error"}
    assert {"code", "message"} <= body["error"].keys() <= {"code", "message", "details"}
    assert (body["error"]["code"], body["error"]["message"][-1]) == (code, ".")
    error: dict[str, Any] = body["error"]
    return error
