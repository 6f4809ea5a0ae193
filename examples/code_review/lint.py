"""Ruff's rules, by the configuration of the folder that is reviewed. It reads the text from us and writes no file."""

import json
from collections.abc import Sequence

from examples.code_review.facts import what_is_new
from examples.code_review.patching import Versions
from examples.code_review.schema import Finding
from examples.ruff import run_ruff


def lint(folder: str, versions: Versions) -> list[Finding]:
    """What ruff finds in the new version and not in the old one. Raises RuffMissing, RuffFailed."""
    before, after = (_check(folder, versions.path, text) for text in (versions.before, versions.after))
    return what_is_new(before, after)


def fix(folder: str, path: str, text: str, rules: Sequence[str]) -> str:
    """`text` with what ruff can mend of these rules (none: of the folder's own). Raises RuffMissing, RuffFailed."""
    # who names a rule wants all of it mended, and sees the result before it is applied
    chosen = [f"--select={','.join(rules)}", "--unsafe-fixes"] if rules else []
    return _ruff(folder, path, text, "--fix-only", "--quiet", *chosen)


def _check(folder: str, path: str, text: str | None) -> list[Finding]:
    if not text:
        return []
    found = json.loads(_ruff(folder, path, text, "--output-format=json", "--exit-zero", "--quiet"))
    return [
        Finding(path=path, line=one["location"]["row"], rule=one["code"], message=one["message"][:300])
        for one in found
        if one["code"] != "invalid-syntax"  # `ast` tells it, and once
    ]


def _ruff(folder: str, path: str, text: str, *options: str) -> str:
    return run_ruff(folder, *options, f"--stdin-filename={path}", "-", text=text)
