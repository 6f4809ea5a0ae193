"""Which files hold what somebody looks for: every text is read and ranked, nothing is guessed."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from examples.sources.allowed import allowed_folder
from examples.sources.errors import NotShown
from examples.sources.files import paths_of, read_listed
from examples.sources.schema import Found, FoundFile, Hit, Source
from runs.jobs import current_attempt

MOST_HITS = 20
MOST_CHARACTERS = 60_000
"""Of a file that a model is shown whole."""

_LINE = 240


def search(folder: str, terms: Sequence[str], maximum: int, suffixes: frozenset[str]) -> Found:
    """The `maximum` files with most of the terms; a term with capitals is looked for as it is written.

    Raises FolderNotAllowed.
    """
    wanted = list(dict.fromkeys(term.strip() for term in terms if term.strip()))
    left_out: Counter[str] = Counter()
    found: list[FoundFile] = []
    root, paths = allowed_folder(folder), paths_of(folder, suffixes, left_out)
    for path in paths:
        if current_attempt().cancelled:
            break
        try:
            source = read_listed(root, path)
        except NotShown:
            left_out["unreadable, huge, or with a secret"] += 1
            continue
        if len(source.text) > MOST_CHARACTERS:
            left_out["too long"] += 1
        elif ranked := _rank(source, wanted):
            found.append(ranked)
    found.sort(key=lambda one: (-one.score, one.path))
    return Found(
        folder=folder, terms=wanted, searched=len(paths), files=found[:maximum],
        left_out={reason: count for reason, count in left_out.items() if count},
    )  # fmt: skip


def _rank(source: Source, terms: list[str]) -> FoundFile | None:
    """Different terms count most, then a name that has one, then lines."""
    different = [term for term in terms if _contains(source.text, term)]
    if not different:
        return None
    lines = source.text.splitlines()
    hits = [Hit(line=number, text=line.strip()[:_LINE]) for number, line in enumerate(lines, 1)
            if any(_contains(line, term) for term in different)]  # fmt: skip
    name = PurePosixPath(source.path).stem
    named = sum(_contains(name, term) or _contains(term, name) for term in different)
    score = 1000 * len(different) + 200 * named + min(len(hits), 100)
    return FoundFile(path=source.path, score=score, hits=hits[:MOST_HITS])


def _contains(text: str, term: str) -> bool:
    return term in text if term != term.lower() else term in text.lower()
