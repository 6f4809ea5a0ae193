"""File tools reach what is inside the allowed folders, whatever a path says and whoever swaps a link in."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.llm.tools import ToolRefused
from flows.llm.tools.local import files, local_tools
from flows.llm.tools.local.files import list_files, read_file, search_files, write_file

SECRET = "the secret"


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """An allowed folder, beside one that is not allowed."""
    made, outside = tmp_path / "allowed", tmp_path / "outside"
    for one in (made / "notes", made / ".hidden", outside):
        one.mkdir(parents=True)
    (made / "notes/a.txt").write_text("first\nsecond needle\nthird\n")
    (made / "b.py").write_text("NEEDLE = 1\n")
    (made / ".hidden/c.txt").write_text("needle\n")
    (made / "picture").write_bytes(b"\x89PNG\0needle")
    (outside / "key").write_text(SECRET)
    settings.LLM_TOOL_FOLDERS = [str(made)]
    return made


def test_files_are_read_listed_searched_and_written(folder: Path) -> None:
    assert read_file("notes/a.txt") == "first\nsecond needle\nthird\n"
    assert read_file(str(folder / "notes/a.txt"), first_line=2, lines=1) == "second needle\n\n[1 more lines, 3 in all]"
    assert list_files(".") == ".hidden/\nb.py\nnotes/\nnotes/a.txt\npicture"
    assert list_files("notes", "*.py") == "[nothing found]"
    assert search_files("needle") == "notes/a.txt:2: second needle"
    assert search_files("needle", pattern="*.py", ignore_case=True) == "b.py:1: NEEDLE = 1"
    assert write_file("new/deep/d.txt", "é") == "Wrote 2 bytes to new/deep/d.txt."
    assert (folder / "new/deep/d.txt").read_text() == "é"


def test_a_file_is_replaced_whole_and_keeps_its_permissions(folder: Path) -> None:
    before = folder / "notes/a.txt"
    before.chmod(0o640)
    write_file("notes/a.txt", "other")
    assert (before.read_text(), before.stat().st_mode & 0o777) == ("other", 0o640)
    assert [one.name for one in (folder / "notes").iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    "path",
    ["../outside/key", "notes/../../outside/key", "/etc/passwd", "{outside}/key", "link/key", "linked", "no\0t", ""],
)
@pytest.mark.parametrize("call", [read_file, lambda path: write_file(path, "x"), list_files])
def test_no_path_leads_outside(folder: Path, path: str, call: Callable[[str], str]) -> None:
    (folder / "link").symlink_to(folder.parent / "outside")
    (folder / "linked").symlink_to(folder.parent / "outside/key")
    try:
        told = call(path.replace("{outside}", str(folder.parent / "outside")))
    except ToolRefused as exc:
        told = str(exc)
    assert SECRET not in told
    assert "root:" not in told
    assert (folder.parent / "outside/key").read_text() == SECRET
    assert [one.name for one in (folder.parent / "outside").iterdir()] == ["key"]


def test_an_allowed_folder_may_be_named_by_a_link(folder: Path, settings: Any) -> None:
    link = folder.parent / "named"
    link.symlink_to(folder)
    settings.LLM_TOOL_FOLDERS = [str(link)]
    for path in ("b.py", str(link / "b.py"), str(folder / "b.py")):
        assert read_file(path) == "NEEDLE = 1\n"


def test_a_folder_whose_name_begins_alike_is_another(folder: Path) -> None:
    twin = folder.parent / "allowed-not"
    twin.mkdir()
    (twin / "key").write_text(SECRET)
    with pytest.raises(ToolRefused, match="outside of the allowed folders"):
        read_file(str(twin / "key"))


def test_links_are_neither_searched_nor_walked_into(folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent / "outside")
    (folder / "linked.txt").symlink_to(folder.parent / "outside/key")
    assert search_files("secret") == "[nothing found]"
    assert "key" not in list_files(".")


def test_a_link_that_is_swapped_in_all_the_time_leads_nowhere(folder: Path) -> None:
    inside, aside = folder / "notes", folder / "aside"
    (inside / "key").write_text("harmless")
    (folder / "trap").symlink_to(folder.parent / "outside")
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            os.rename(inside, aside)
            os.rename(folder / "trap", inside)
            os.rename(inside, folder / "trap")
            os.rename(aside, inside)

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        found = set()
        for _ in range(1000):
            try:
                found.add(read_file("notes/key"))
            except ToolRefused:
                found.add("refused")
    finally:
        over.set()
        swapping.join()
    assert found <= {"harmless", "refused"}


def test_what_is_no_plain_text_file_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(folder / "pipe")
    for path, problem in (("pipe", "no plain file"), ("picture", "is no text"), ("notes", "no plain file")):
        with pytest.raises(ToolRefused, match=problem):
            read_file(path)
    monkeypatch.setattr(files, "MAX_FILE", 5)
    with pytest.raises(ToolRefused, match="more than 5"):
        read_file("b.py")


def test_a_listing_and_a_search_say_when_they_are_not_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_ENTRIES", 2)
    monkeypatch.setattr(files, "MAX_FOUND", 1)
    assert list_files(".").splitlines()[2] == "[more than 2. Look into one folder, or for a closer pattern.]"
    assert search_files("i").endswith("[more than 1. Look for a longer text, or into one folder.]")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["..", ".", "notes", "a.txt", "", "link", "outside", "key", "/", "~"]), max_size=6))
def test_no_combination_of_parts_reads_the_secret(folder: Path, parts: list[str]) -> None:
    (folder / "link").unlink(missing_ok=True)
    (folder / "link").symlink_to(folder.parent)
    try:
        told = read_file("/".join(parts))
    except (ToolRefused, OSError) as exc:
        told = str(exc)
    assert SECRET not in told


def test_without_settings_there_are_no_local_tools(settings: Any) -> None:
    settings.LLM_TOOL_FOLDERS = settings.LLM_TOOL_COMMANDS = settings.LLM_TOOL_HOSTS = ()
    assert local_tools() == []
    settings.LLM_TOOL_HOSTS = ["example.org"]
    assert [one.name for one in local_tools()] == ["http_get"]
    settings.LLM_TOOL_FOLDERS, settings.LLM_TOOL_COMMANDS = ["/tmp"], ["ls"]
    needing = {one.name for one in local_tools() if one.needs_approval}
    assert needing == {"write_file", "edit_file", "run_command"}
