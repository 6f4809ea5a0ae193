"""Unified diffs are read, put on their files and written again; what would leave the folder is refused."""

import contextlib
import difflib
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.code_review.diff import MAX_FILES, FileChange, lines_of, parse_diff
from examples.code_review.errors import DoesNotApply, UnreadableDiff
from examples.code_review.patching import versions_of, write_diff

TEXTS = st.lists(st.sampled_from(["a", "b", "", "-- c", "++ d", "@@", "\\ e", "f\r"]), max_size=12).flatmap(
    lambda lines: st.sampled_from(["\n".join(lines), "\n".join([*lines, ""])])
)


def only(text: str) -> FileChange:
    [found] = parse_diff(text)
    return found


def changed(path: str = "a.py", lines: str = "-x = 1\n+x = 2\n", head: str = "@@ -1 +1 @@") -> str:
    return f"--- a/{path}\n+++ b/{path}\n{head}\n{lines}"


@given(TEXTS, TEXTS, st.integers(0, 3))
def test_what_difflib_writes_is_applied_and_written_again(before: str, after: str, around: int) -> None:
    lines = difflib.unified_diff(lines_of(before), lines_of(after), "a/a.txt", "b/a.txt", n=around)
    diff = "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)
    if before == after:
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.txt").write_bytes(before.encode())
        found = versions_of(str(Path(folder).resolve()), only(diff))
        assert found.after == after
        assert only(write_diff([found])).hunks == found.hunks


def test_files_are_added_changed_and_removed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "old.py").write_text("y\n")
    diff = (
        changed() + "--- a/old.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-y\n--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+z\n"
    )
    found = [versions_of(str(tmp_path), change) for change in parse_diff(diff)]
    assert [(one.before, one.after) for one in found] == [("x = 1\n", "x = 2\n"), ("y\n", None), (None, "z\n")]
    assert re.sub(r" hunk \d", "", write_diff(found)) == diff
    assert re.findall(r"@@ hunk (\d)\n", write_diff(found)) == ["1", "2", "3"]
    assert (tmp_path / "a.py").read_text() == "x = 1\n", "nothing is written"


def test_a_hunk_whose_lines_moved_is_put_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("new\n" * 7 + "x = 1\n")
    assert versions_of(str(tmp_path), only(changed())).after == "new\n" * 7 + "x = 2\n"


def test_lines_sent_by_a_form_lose_the_carriage_returns_that_it_added() -> None:
    assert parse_diff(changed().replace("\n", "\r\n")) == parse_diff(changed())


def test_a_last_line_without_a_newline_stays_so(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    mark = "\\ No newline at end of file\n"
    diff = changed(lines=f"-x = 1\n{mark}+x = 2\n{mark}")
    assert versions_of(str(tmp_path), only(diff)).after == "x = 2"


@pytest.mark.parametrize("path", ["../a.py", "/etc/passwd", "x/../../a.py", '"a\\303.py"', "a\\b.py", "a\x07.py"])
def test_a_path_that_leaves_the_folder_is_refused(path: str) -> None:
    with pytest.raises(UnreadableDiff, match="Use plain paths"):
        parse_diff(changed(path))


def test_links_are_neither_read_nor_written_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.py").write_text("x = 1\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "in").symlink_to(outside)
    (folder / "a.py").symlink_to(outside / "a.py")
    added = "--- /dev/null\n+++ b/in/new.py\n@@ -0,0 +1 @@\n+z\n"
    for diff in (changed(), changed("in/a.py"), added):
        with pytest.raises(DoesNotApply):
            versions_of(str(folder), only(diff))


@pytest.mark.parametrize(
    ("diff", "says"),
    [
        ("nothing", "changes no file"),
        ("@@ -1 +1 @@\n-a\n+b\n", "hunk of no file"),
        ("--- a/x\n", "not the [+]{3}"),
        ("--- a/x\n+++ b/x\n", "should begin a hunk"),
        ("--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n", "no-renames"),
        ("rename from x\nrename to y\n", "no-renames"),
        ("Binary files a/x and b/x differ\n", "binary"),
        (changed(lines="-x = 1\n"), "ends its hunk too early"),
        (changed(lines=" x\n-y\n+y\n"), "more lines"),
        (changed(head="@@ -x +1 @@"), "no head of a hunk"),
        (changed() * 2, "changes 'a.py' again"),
        ("".join(changed(f"{n}.py") for n in range(MAX_FILES + 1)), "Review fewer"),
        (changed(head="@@ -0 +1 @@"), "Make the diff again"),
    ],
)
def test_what_is_no_diff_is_refused_with_its_line(diff: str, says: str) -> None:
    with pytest.raises(UnreadableDiff, match=rf"(?s)Line \d+ of the diff .*{says}"):
        parse_diff(diff)


@given(st.text(alphabet="-+@ 1,ab/\n\\", max_size=80))
def test_any_other_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UnreadableDiff):
        parse_diff("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n" + text)


def test_a_diff_shows_no_line_that_it_did_not_bring(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("".join(f"secret = {n}\n" for n in range(9)))
    blind = only(changed(lines="+x = 2\n", head="@@ -4,0 +5 @@"))
    assert "secret" not in write_diff([versions_of(str(tmp_path), blind)])


def test_the_data_directory_is_not_touched(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path / "var"
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secret-key").write_text("x = 1\n")
    with pytest.raises(DoesNotApply, match="data directory"):
        versions_of(str(tmp_path), only(changed("var/secret-key")))


def test_a_diff_for_other_files_does_not_apply(tmp_path: Path) -> None:
    with pytest.raises(DoesNotApply, match="cannot be read"):
        versions_of(str(tmp_path), only(changed()))
    (tmp_path / "a.py").write_bytes(b"\xff\n")
    with pytest.raises(DoesNotApply, match="UTF-8"):
        versions_of(str(tmp_path), only(changed()))
    (tmp_path / "a.py").write_text("other\n")
    with pytest.raises(DoesNotApply, match="lines of hunk 1 are not in it"):
        versions_of(str(tmp_path), only(changed()))
