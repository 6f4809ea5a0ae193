"""What a reviewer's comment asks for: files or hunks to leave out, and rules for ruff to mend."""

import re
from dataclasses import dataclass, replace

from examples.code_review import lint
from examples.code_review.diff import FileChange, parse_diff
from examples.code_review.patching import Versions, versions_of, with_mended, write_diff
from examples.code_review.schema import Revision
from examples.ruff import RuffFailed

_SENTENCE = re.compile(r"\n|;|[.!?](?:\s|$)")
_DROP = re.compile(r"\b(?:drop|remove|leave out|without|revert|skip|undo)\b", re.IGNORECASE)
_FIX = re.compile(r"\b(?:fix|mend)\b", re.IGNORECASE)
_RULE = re.compile(r"\b[A-Z]{1,6}\d{3,4}\b")
_WORD = re.compile(r"[^\s,&]+")
_PASSED_OVER = frozenset({"the", "file", "files", "change", "changes", "to", "of", "in", "and"})


@dataclass(frozen=True)
class Wishes:
    """`fix` is None when nothing is to be mended, and empty for all rules."""

    files: frozenset[str]
    hunks: frozenset[int]
    fix: tuple[str, ...] | None


def understand(comment: str, changes: list[FileChange]) -> Wishes:
    """Sentence by sentence: "drop hunk 2", "leave out src/x.py", "fix F401", "fix"."""
    files: set[str] = set()
    hunks: set[int] = set()
    fix: set[str] | None = None
    names = _names_of(changes)
    for sentence in _SENTENCE.split(comment):
        for verb in _DROP.finditer(sentence):
            _read_dropped(sentence[verb.end() :], names, files, hunks)
        if _FIX.search(sentence):
            fix = (fix or set()) | set(_RULE.findall(sentence))
    return Wishes(frozenset(files), frozenset(hunks), None if fix is None else tuple(sorted(fix)))


def _read_dropped(words: str, names: dict[str, str], files: set[str], hunks: set[int]) -> None:
    """The files and hunks named right behind the verb: "remove the import in x.py" does not mean all of x.py."""
    numbers = False
    for word in _WORD.findall(words):
        name = word.strip("`'\"#().:")
        if name.lower() in ("hunk", "hunks"):
            numbers = True
        elif numbers and name.isdecimal() and len(name) < 7:
            hunks.add(int(name))
        elif name in names:
            files.add(names[name])
        elif name.lower() not in _PASSED_OVER:
            return


def _names_of(changes: list[FileChange]) -> dict[str, str]:
    """Paths by what people call them: the path, or its last part where only one file has that."""
    last = [change.path.rpartition("/")[2] for change in changes]
    short = {name: change.path for name, change in zip(last, changes, strict=True) if last.count(name) == 1}
    return short | {change.path: change.path for change in changes}


def revise(folder: str, diff: str, comment: str) -> Revision:
    """The change as the comment wants it. Raises DoesNotApply, RuffMissing."""
    changes = parse_diff(diff)
    wishes = understand(comment, changes)
    done: list[str] = []
    versions = [one for change in changes if (one := _revised(folder, change, wishes, done)) is not None]
    revised = write_diff(versions)
    return Revision(diff=revised, paths=[one.path for one in parse_diff(revised)] if revised else [], done=done)


def _revised(folder: str, change: FileChange, wishes: Wishes, done: list[str]) -> Versions | None:
    """The file as it is to be now; None for one that is left out."""
    kept = [hunk for hunk in change.hunks if hunk.number not in wishes.hunks]
    if change.path in wishes.files or not kept:
        done.append(f"{change.path} is left out")
        return None
    done += [f"hunk {one.number} of {change.path} is left out" for one in change.hunks if one not in kept]
    found = versions_of(folder, replace(change, hunks=kept))
    if wishes.fix is None or found.after is None or not change.path.endswith((".py", ".pyi")):
        return found
    return _mended(folder, found, found.after, wishes.fix, done)


def _mended(folder: str, found: Versions, text: str, rules: tuple[str, ...], done: list[str]) -> Versions:
    try:
        mended = with_mended(found, lint.fix(folder, found.path, text, rules))
    except RuffFailed as exc:
        # a rule that ruff does not know is a slip of the reviewer, who reads this in the next round
        done.append(str(exc))
        return found
    if mended.after != found.after:
        done.append(f"ruff mended {found.path}")
    return mended
