"""The sections of a folder's pages that share most words with a question."""

import re
from collections.abc import Iterator

from examples.ai_agent.schema import Passage
from examples.sources.allowed import allowed_folder
from examples.sources.errors import NotShown
from examples.sources.files import PAGES, paths_of, read_listed
from examples.sources.schema import Source

MOST_CHARACTERS = 1_500
_HEADING = re.compile(r"^#{1,6} +(.+)$")
_WORD = re.compile(r"[a-z_]{4,}")
_COMMON = {"does", "from", "have", "into", "that", "their", "them", "then", "they", "this", "what", "when", "with"}


def find_passages(folder: str, question: str, maximum: int) -> list[Passage]:
    """The best first; a word in a heading counts twice. Raises FolderNotAllowed."""
    wanted = _stems(question) - _COMMON
    found = [(_score(wanted, passage), passage) for passage in _passages(folder)]
    ranked = sorted((one for one in found if one[0]), key=lambda one: -one[0])
    return [passage for _, passage in ranked[:maximum]]


def _passages(folder: str) -> Iterator[Passage]:
    root = allowed_folder(folder)
    for path in paths_of(folder, PAGES):
        try:
            yield from _sections_of(read_listed(root, path))
        except NotShown:
            continue


def _sections_of(source: Source) -> Iterator[Passage]:
    heading, lines, is_code = "", list[str](), False
    for line in source.text.splitlines():
        is_code ^= line.lstrip().startswith("```")
        found = None if is_code else _HEADING.match(line)
        if found:
            yield from _section(source.path, heading, lines)
            heading, lines = found[1], []
        else:
            lines.append(line)
    yield from _section(source.path, heading, lines)


def _section(path: str, heading: str, lines: list[str]) -> Iterator[Passage]:
    if text := "\n".join(lines).strip():
        yield Passage(path=path, heading=heading, text=text[:MOST_CHARACTERS])


def _score(wanted: set[str], passage: Passage) -> int:
    return len(wanted & _stems(passage.text)) + 2 * len(wanted & _stems(passage.heading))


def _stems(text: str) -> set[str]:
    """Words without a plural's end: `crashes` and `crash` are one."""
    return {re.sub(r"(?<=sh)es$|(?<=[^s])s$", "", word) for word in _WORD.findall(text.lower())}
