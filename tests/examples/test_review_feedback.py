"""What a reviewer writes is taken up: files and hunks are left out, ruff mends."""

from pathlib import Path

import pytest

from examples.code_review.diff import parse_diff
from examples.code_review.facts import review_file
from examples.code_review.feedback import Wishes, revise, understand
from examples.code_review.lint import lint
from examples.code_review.patching import Versions, versions_of

DIFF = """\
--- a/src/one.py
+++ b/src/one.py
@@ -1 +1,2 @@
+import os
 x = 1
@@ -9 +10 @@
-z = 1
+z = 2
--- /dev/null
+++ b/src/two.py
@@ -0,0 +1,3 @@
+import sys
+if None == sys.path:
+    pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "one.py").write_text("x = 1\n" + "y = 1\n" * 7 + "z = 1\n")
    return str(tmp_path)


@pytest.mark.parametrize(
    ("comment", "files", "hunks", "fix"),
    [
        ("Drop hunk 2.", set(), {2}, None),
        ("please leave out hunks 1, 2 and 3", set(), {1, 2, 3}, None),
        ("Revert the changes to `src/one.py`; fix F401 and E711", {"src/one.py"}, set(), ("E711", "F401")),
        ("without two.py and hunk #1", {"src/two.py"}, {1}, None),
        ("Remove the unused import in src/one.py.", set(), set(), None),
        ("Drop src/one.py. src/two.py is fine.", {"src/one.py"}, set(), None),
        ("Fix it", set(), set(), ()),
        ("I do not like it at all", set(), set(), None),
    ],
)
def test_a_comment_is_understood(comment: str, files: set[str], hunks: set[int], fix: tuple[str, ...] | None) -> None:
    assert understand(comment, parse_diff(DIFF)) == Wishes(frozenset(files), frozenset(hunks), fix)


def test_a_file_and_a_hunk_are_left_out(folder: str) -> None:
    revision = revise(folder, DIFF, "Drop hunk 1 and two.py")
    assert revision.done == ["hunk 1 of src/one.py is left out", "src/two.py is left out"]
    [change] = parse_diff(revision.diff)
    assert versions_of(folder, change).after == "x = 1\n" + "y = 1\n" * 7 + "z = 2\n"


def test_ruff_mends_what_is_asked_for_and_no_more(folder: str) -> None:
    revision = revise(folder, DIFF, "fix F401")
    assert revision.done == ["ruff mended src/one.py"]
    assert "import os" not in revision.diff
    assert "None == sys.path" in revision.diff
    assert "None is sys.path" in revise(folder, DIFF, "fix E711").diff


def test_ruff_mends_the_changed_places_alone(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import secret\n\nx = 1\n")
    diff = "--- a/a.py\n+++ b/a.py\n@@ -3 +3,3 @@\n+import os\n x = 1\n+y = 2\n"
    revised = revise(str(tmp_path), diff, "fix F401").diff
    assert revised == "--- a/a.py\n+++ b/a.py\n@@ -3 +3,2 @@ hunk 1\n x = 1\n+y = 2\n"


def test_a_rule_that_ruff_does_not_know_is_told_and_fails_nothing(folder: str) -> None:
    revision = revise(folder, DIFF, "fix ZZZ999")
    assert "Unknown rule selector" in revision.done[0]
    assert revision.paths == ["src/one.py", "src/two.py"]


def test_nothing_is_left_when_everything_is_dropped(folder: str) -> None:
    assert revise(folder, DIFF, "drop src/one.py, src/two.py").diff == ""


def test_only_what_the_change_brings_in_is_found() -> None:
    old = "import os\n\n\ndef f():\n    pass\n"
    found = lint("/", Versions("a.py", old, "import sys\n" + old))
    assert [one.line for one in found if one.rule == "F401"] == [1]
    change = parse_diff("--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a\n+b\n")[0]
    longer = old + "\n\ndef g():\n" + "    x = 1 if x else 2\n" * 41
    review = review_file(change, Versions("a.py", old, longer))
    rules = ["long-function", "complex-function", "missing-docstring"]
    assert [one.rule for one in review.findings] == rules
    assert (review.functions, review.complexity_before, review.complexity) == (2, 1, 43)


def test_a_version_that_cannot_be_parsed_is_a_finding() -> None:
    change = parse_diff("--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a\n+b\n")[0]
    assert [one.rule for one in review_file(change, Versions("a.py", "x\n", "def (\n")).findings] == ["syntax-error"]
    assert lint("/", Versions("a.py", "x = 1\n", "def (\n")) == []


def test_a_module_named_ruff_in_the_folder_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "ruff.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert [one.rule for one in lint(str(tmp_path), Versions("a.py", None, "import os\n"))] == ["F401"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ruff.py"]
