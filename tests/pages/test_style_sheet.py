"""The style sheets: every token exists, nothing moves for whoever asks for calm, and paper shows the text."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from perdure.dashboard import styleguide

FOLDER = Path(styleguide.__file__).parent.parent / "static" / "dashboard"
PAGES = (FOLDER / "perdure.css").read_text()
MOVES = re.compile(r"\b(?:animation|transition)(?:-name|-property)?:\s*(?!none)")


def top_level(css: str) -> Iterator[tuple[str, str]]:
    """The rules of a sheet as (what stands before the brace, what stands inside)."""
    depth = start = 0
    head = ""
    for found in re.finditer(
        r"[{}]", re.sub(r"/\*.*?\*/", lambda comment: " " * len(comment[0]), css, flags=re.DOTALL)
    ):
        if found[0] == "{":
            if depth == 0:
                head, start = css[start : found.start()], found.end()
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                yield head.strip(), css[start : found.start()]
                start = found.end()


@pytest.mark.parametrize("name", ["perdure.css", "admin.css"])
def test_every_token_that_is_used_exists(name: str) -> None:
    css = (FOLDER / name).read_text()
    used = set(re.findall(r"var\((--[\w-]+)\)", css))
    defined = set(re.findall(r"(--[\w-]+):", css)) | {one for one in used if one.startswith("--color-")}
    set_by_scripts = set(re.findall(r'setProperty\("(--[\w-]+)"', "".join(p.read_text() for p in FOLDER.rglob("*.js"))))
    assert used - defined - set_by_scripts == set()


def test_nothing_moves_for_whoever_asks_for_calm() -> None:
    moving = [head for head, inside in top_level(PAGES) if MOVES.search(inside) and "reduced-motion" not in head]
    assert moving == []


def test_paper_shows_the_text_without_the_frame() -> None:
    printed = "".join(inside for head, inside in top_level(PAGES) if head.endswith("@media print"))
    for hidden in (".bar", ".actions", ".tab-bar", ".copy"):
        assert hidden in printed
    assert "max-height: none" in printed
