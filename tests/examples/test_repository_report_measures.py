"""What `repository-report` says of a file and of a folder; no run is needed for it."""

import subprocess
from pathlib import Path

import pytest

from examples.naming import step_name
from examples.repository_report.analysis import analyse, measure
from examples.repository_report.folder import (
    HUGE_BYTES,
    FolderNotUsable,
    LeavesFolder,
    list_files,
    own_source,
    read_inside,
)
from examples.repository_report.markdown import write_sections

SOURCE = b'''"""Module docstring
over two lines."""

import os.path
from json import loads
from . import sibling  # TODO: mend


class Shop:
    """A shop."""

    def open(self, door):
        if door and os:  # FIXME
            return [x for x in door if x]

        def inner():
            while True:
                pass
        # XXX only a comment
        return """text
        # TODO in a string is no mark

        """
'''


def test_each_physical_line_is_of_one_kind():
    facts = measure("shop.py", SOURCE)
    assert (facts.code, facts.comments, facts.docstrings, facts.blank) == (14, 1, 3, 5)
    assert facts.lines == SOURCE.count(b"\n") == 23


def test_functions_classes_imports_and_branches_are_counted():
    facts = measure("shop.py", SOURCE)
    assert (facts.functions, facts.classes, facts.imports) == (2, 1, [".", "json", "os"])
    assert facts.longest is not None
    assert (facts.longest.name, facts.longest.line, facts.longest.lines) == ("Shop.open", 12, 12)
    # if, and, comprehension, its condition; the inner function's loop is its own
    assert facts.longest.complexity == 5
    assert facts.complexity == 5 + 2


def test_only_comments_hold_marks():
    assert [(mark.line, mark.word) for mark in measure("shop.py", SOURCE).marks] == [
        (6, "TODO"),
        (13, "FIXME"),
        (19, "XXX"),
    ]


@pytest.mark.parametrize("source", [b"", b"\n", b"x = 1", b"x = 1\n\n", b"'doc'", b"\xef\xbb\xbfx = 1\n", b"\r\n\r\n"])
def test_lines_are_counted_as_wc_does(source, tmp_path):
    (tmp_path / "a.py").write_bytes(source)
    counted = subprocess.run(["wc", "-l", tmp_path / "a.py"], capture_output=True, check=True).stdout.split()[0]
    facts = analyse(str(tmp_path), "a.py")
    assert facts.lines == int(counted)
    assert facts.problem is None
    assert facts.code + facts.comments + facts.docstrings + facts.blank in (facts.lines, facts.lines + 1)


@pytest.mark.parametrize(
    "source", [b"def (\n", b"x = '\n", b"# coding: no-such\n", b"x = '''\n\n", b"x\x00y\n", b"(" * 500]
)
def test_a_file_that_cannot_be_parsed_is_measured_and_told(source):
    facts = measure("broken.py", source)
    assert facts.problem is not None
    assert facts.problem.startswith("cannot be parsed: ")
    assert facts.lines == source.count(b"\n")


def test_a_file_that_vanished_is_told():
    facts = analyse("/", "no-such-file.py")
    assert facts.problem is not None
    assert "No such file" in facts.problem


def test_installed_generated_binary_and_huge_files_and_links_are_passed_over(tmp_path):
    outside = tmp_path / "outside.py"
    outside.write_text("secret = 1\n")
    root = tmp_path / "root"
    for folder in ("kept", ".git", ".venv", "var", "node_modules", "static/vendor", "__pycache__"):
        (root / folder).mkdir(parents=True)
        (root / folder / "a.py").write_text("x = 1\n")
    (root / "kept" / "notes.txt").write_text("no source\n")
    (root / "binary.py").write_bytes(b"\0\0")
    (root / "huge.py").write_bytes(b"#" * (HUGE_BYTES + 1))
    (root / "link.py").symlink_to(outside)
    (root / "folder-link").symlink_to(tmp_path)
    listing = list_files(str(root), 10)
    assert listing.paths == ["kept/a.py"]
    assert listing.left_out == {"binary": 1, "huge": 1, "link or no file": 1}


def test_no_more_than_the_maximum_is_listed(tmp_path):
    for name in "cab":
        (tmp_path / f"{name}.py").write_text("")
    listing = list_files(str(tmp_path), 2)
    assert (listing.paths, listing.left_out) == (["a.py", "b.py"], {"over the maximum": 1})


@pytest.mark.parametrize("path", ["../outside.py", "link.py", "folder/a.py"])
def test_nothing_outside_the_folder_is_read(path, tmp_path):
    (tmp_path / "outside.py").write_text("secret = 1\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.py").write_text("secret = 1\n")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link.py").symlink_to(tmp_path / "outside.py")
    (root / "folder").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LeavesFolder, match="leads out of the folder or through a link"):
        read_inside(str(root), path)


@pytest.mark.parametrize(
    ("name", "problem"),
    [("missing", "does not exist"), ("file.py", "is not a folder"), ("empty", "has no Python files")],
)
def test_a_folder_without_source_is_refused(name, problem, tmp_path):
    (tmp_path / "file.py").write_text("")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FolderNotUsable) as caught:
        list_files(str(tmp_path / name), 10)
    assert str(caught.value) == (
        f"Folder {str(tmp_path / name)!r} {problem}. Give a folder with Python source on the worker's machine."
    )


def test_the_report_on_perdure_names_every_file_with_its_lines():
    listing = list_files("", 2000)
    assert listing.folder == str(own_source())
    files = [analyse(listing.folder, path) for path in listing.paths]
    report = "".join(write_sections(listing, files))
    assert len(files) >= 20
    for file in files:
        lines = (Path(listing.folder) / file.path).read_bytes().count(b"\n")
        assert f"| `{file.path}` | {lines} |" in report


def test_a_path_cannot_break_the_reports_table():
    listing = list_files("", 1)
    report = "".join(write_sections(listing, [measure("a|b`c.py", b"x = 1\n")]))
    assert "| `a¦b'c.py` | 1 | 1 |" in report


def test_step_names_fit_and_differ_for_long_paths():
    long = "d/" * 150
    names = {step_name("analyse", path) for path in (long + "a.py", long + "b.py", "x/" + long + "a.py")}
    assert len(names) == 3
    assert all(len(name) <= 200 for name in names)
