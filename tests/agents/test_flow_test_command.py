"""`manage.py flow test` in processes of its own: what it prints, how it exits, and that it leaves nothing behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.templates import ROOT

FLOW = """
name: shop
steps:
  - {name: plan, persona: planner, rules: [{condition: planned, next: build}]}
  - {name: build, call: builder, rules: [{condition: built, next: COMPLETE}]}
"""
BUILDER = """
name: builder
workspace: folder
subflow: {callable: true, returns: [built]}
personas: {coder: You code.}
steps:
  - name: code
    persona: coder
    required_permission_mode: edit
    rules: [{condition: 'ai("it is written")', return: built}]
"""
SCENARIO = [
    {"persona": "planner", "status": "blocked", "content": "Which colour?"},
    {"persona": "planner", "content": "[PLAN:1]"},
    {
        "persona": "coder",
        "content": "ok",
        "tool_use": [{"tool": "write_file", "input": {"path": "a", "content": "new"}}],
    },
    {"persona": "judge", "content": "[JUDGE:1]"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flows/personas").mkdir(parents=True)
    (tmp_path / "flows/personas/planner.md").write_text("You plan.")
    (tmp_path / "flows/shop.yaml").write_text(FLOW)
    (tmp_path / "flows/builder.yaml").write_text(BUILDER)
    (tmp_path / "scenario.json").write_text(json.dumps(SCENARIO))
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/a").write_text("old")
    for name in ("data", "temporary"):
        (tmp_path / name).mkdir()
    return tmp_path


def tried(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As somebody calls it whose installation is in use: none of what it has may be touched."""
    environment = {
        **os.environ, "PERDURE_DATA_DIR": str(folder / "data"), "TMPDIR": str(folder / "temporary"),
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0",
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "flow", "test", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip


def test_it_prints_one_object_and_leaves_nothing_but_a_database_to_copy(folder: Path):
    arguments = ("flows/shop.yaml", "scenario.json", "--task=a button", "--json", "--folder=shop")
    done = tried(folder, *arguments, "--answer=blue")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "status": "completed", "reason": None, "iterations": 3, "path": ["plan", "plan", "build"],
        "matched": [
            {"step": "plan", "condition": "planned", "method": "tag"},
            {"step": "build", "condition": "built", "method": "return"},
        ],
    }  # fmt: skip
    kept = left(folder)
    assert [path.parent.name for path in kept] == ["flow-test"]
    again = tried(folder, *arguments)
    assert (again.returncode, again.stderr) == (1, "Workflow blocked and no user input provided\n")
    assert json.loads(again.stdout)["reason"] == "blocked"
    assert left(folder) == kept
    assert (folder / "shop/a").read_text() == "old"


def left(folder: Path) -> dict[Path, int]:
    """The files that are there now, with the moment of their making."""
    assert not list((folder / "temporary").iterdir())
    return {path: path.stat().st_mtime_ns for path in (folder / "data").rglob("*") if path.is_file()}


def test_bad_input_is_one_line_and_exit_code_2(folder: Path):
    (folder / "broken.yaml").write_text("name: x\nsteps:\n  - {name: a, agent: A., rules: [{condition: b, next: c}]}\n")
    done = tried(folder, "broken.yaml", "scenario.json", "--task=x", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "broken.yaml: line 3: step 'a': " in done.stderr
