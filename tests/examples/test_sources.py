"""Which folders and files are shown to models and people as text."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from examples.repository_report.folder import own_source
from examples.sources.allowed import allowed_folder
from examples.sources.errors import FolderNotAllowed, NotShown
from examples.sources.exclusions import is_excluded, read_exclusions
from examples.sources.files import CODE, paths_of, read_source


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    made = tmp_path / "allowed" / "code"
    made.mkdir(parents=True)
    settings.LLM_TOOL_FOLDERS = (str(tmp_path / "allowed"),)
    settings.DATA_DIR = made / "data"
    return made


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".py").write_text(text)


def test_perdures_own_source_and_the_folders_of_tools_are_allowed(folder: Path) -> None:
    assert allowed_folder("") == own_source()
    assert allowed_folder(str(folder)) == folder


@pytest.mark.parametrize("path", ["/", "/etc", "..", "data", "missing", "link"])
def test_other_folders_are_not(folder: Path, path: str) -> None:
    (folder / "data").mkdir()
    (folder / "link").symlink_to("/etc")
    with pytest.raises(FolderNotAllowed, match="PERDURE_LLM_TOOL_FOLDERS"):
        allowed_folder(str(folder / path) if path != ".." else str(folder / ".." / ".."))


def test_hidden_ignored_installed_and_secret_files_and_links_are_left_out(folder: Path) -> None:
    write(
        folder, kept="x", a__kept="x", a__ignored="x", a__b__ignored="x", node_modules__m="x", out__m="x", data__k="x"
    )
    write(folder, my_credentials="x", a__generated__g="x")
    (folder / ".hidden.py").write_text("x")
    (folder / "link.py").symlink_to("/etc/hostname")
    (folder / "away").symlink_to("/etc")
    (folder / ".gitignore").write_text("/out/\nignored.py\n# kept.py\n")
    (folder / "a" / ".gitignore").write_text("generated\n!b/ignored.py\n")
    left_out: Counter[str] = Counter()
    assert paths_of(str(folder), CODE, left_out) == ["a/b/ignored.py", "a/kept.py", "kept.py"]
    assert {one for one, count in left_out.items() if count} == {
        "ignored by .gitignore", "link or no file", "named as secrets are"
    }  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "../outside.py", "/etc/hostname", "link.py", "away/hostname", "data/k.py", ".hidden.py", "my_credentials.py",
        "ignored.py", "out/m.py", "key.py", "a\0b.py", "missing.py", "node_modules/m.py", "binary.py",
    ],
)  # fmt: skip
def test_what_is_left_out_is_not_read_either(folder: Path, path: str) -> None:
    write(folder, data__k="x", ignored="x", out__m="x", my_credentials="x", node_modules__m="x")
    write(folder, key="KEY = '''-----BEGIN RSA PRIVATE KEY-----\n'''", binary="\0")
    (folder.parent / "outside.py").write_text("x")
    (folder / ".hidden.py").write_text("x")
    (folder / "link.py").symlink_to("/etc/hostname")
    (folder / "away").symlink_to("/etc")
    (folder / ".gitignore").write_text("/out/\nignored.py\n")
    with pytest.raises(NotShown, match="Name another file"):
        read_source(str(folder), path)


def test_a_plain_file_is_read(folder: Path) -> None:
    write(folder, a__kept="x = 1\n")
    source = read_source(str(folder), "a/kept.py")
    assert (source.path, source.text, len(source.digest)) == ("a/kept.py", "x = 1\n", 64)


@pytest.mark.parametrize(
    ("line", "path", "is_folder", "excluded"),
    [
        ("*.log", "a/b.log", False, True), ("*.log", "a/b.logs", False, False), ("/a", "b/a", False, False),
        ("a/**/c", "a/x/y/c", False, True), ("a/**/c", "a/c", False, True), ("build/", "build", False, False),
        ("build/", "x/build", True, True), ("a?c", "abc", False, True), ("a?c", "a/c", False, False),
        ("docs/*.txt", "docs/a/b.txt", False, False), ("a.b", "axb", False, False),
    ],
)  # fmt: skip
def test_gitignore_is_read_as_git_reads_it(
    tmp_path: Path, line: str, path: str, is_folder: bool, excluded: bool
) -> None:
    (tmp_path / ".gitignore").write_text(f"{line}\n")
    assert is_excluded(path, is_folder, read_exclusions(tmp_path, "")) is excluded
