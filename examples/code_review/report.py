"""What people read before they decide: the report, the question's body, and the findings as a table."""

from collections.abc import Sequence

from examples.code_review.schema import FileReview, Finding, Opinion
from examples.text import code, counted, plain, table

_MOST_LISTED = 100


def write_sections(files: Sequence[FileReview], revised: Sequence[str], opinion: Opinion | None = None) -> list[str]:
    """The report's sections in order; each ends with an empty line. Empty ones are left out."""
    sections = [f"# Review of {counted(len(files), 'file')}\n\n{_sentence(files)}\n\n", _done(revised)]
    sections += [_files(files), _findings(files), _opinion(opinion) if opinion else ""]
    return [section for section in sections if section]


def write_body(files: Sequence[FileReview], revised: Sequence[str] | None, opinion: Opinion | None = None) -> str:
    """Markdown of the question; `revised` is None in the first round, and says what the feedback led to after it."""
    did = ""
    if revised is not None:
        did = "; ".join(map(plain, revised)) or "nothing, since your comment named no file, hunk or rule of it"
        did = f"Done with the feedback: {did}.\n\n"
    return (
        f"{did}{_sentence(files)}\n\n{_said(opinion) if opinion else ''}"
        "**Approve** writes the changed files into a work folder. **Deny with a comment** has it revised and asks "
        "again: `drop hunk 2`, `drop <path>`, `fix`, `fix F401`. Deny without one ends it."
    )


def tables(files: Sequence[FileReview], opinion: Opinion | None) -> dict[str, list[dict[str, str]]]:
    """The findings and the remarks as the question's page shows them; without those that are empty."""
    findings = [
        {"place": f"{one.path}:{one.line}", "rule": one.rule, "finding": one.message} for one in findings_of(files)
    ][:_MOST_LISTED]
    remarks = [one.model_dump() for one in opinion.remarks] if opinion else []
    return {name: rows for name, rows in (("findings", findings), ("remarks", remarks)) if rows}


def findings_of(files: Sequence[FileReview]) -> list[Finding]:
    return [finding for file in files for finding in file.findings]


def _sentence(files: Sequence[FileReview]) -> str:
    added, removed = sum(file.added for file in files), sum(file.removed for file in files)
    branches = sum(file.complexity - file.complexity_before for file in files)
    return (
        f"The change adds {counted(added, 'line')} and removes {removed} in {counted(len(files), 'file')}. "
        f"It brings in {counted(len(findings_of(files)), 'finding')} and changes the complexity by {branches:+d}."
    )


def _done(revised: Sequence[str]) -> str:
    return "Done with the feedback:\n\n" + "".join(f"- {plain(one)}\n" for one in revised) + "\n" if revised else ""


def _files(files: Sequence[FileReview]) -> str:
    heads = ("File", "Change", "Hunks", "+", "-", "Alike", "Complexity")
    rows = [
        (
            code(file.path), file.kind, ", ".join(map(str, file.hunks)), file.added, file.removed,
            f"{file.similarity:.0%}", f"{file.complexity_before} to {file.complexity}",
        )
        for file in files
    ]  # fmt: skip
    return "## Files\n\n" + table(heads, rows)


def _findings(files: Sequence[FileReview]) -> str:
    found = findings_of(files)
    if not found:
        return "## Findings\n\nNo rule is broken that was not broken before.\n\n"
    rows = [(code(f"{one.path}:{one.line}"), one.rule, plain(one.message)) for one in found[:_MOST_LISTED]]
    more = f"{len(found) - _MOST_LISTED} more are left out.\n\n" if len(found) > _MOST_LISTED else ""
    return "## Findings\n\n" + table(("Place", "Rule", "Finding"), rows) + more


def _said(opinion: Opinion) -> str:
    """A paragraph: what the model says of the whole, or why it says nothing."""
    if opinion.problem:
        return f"No model reviewed the change: {plain(opinion.problem)}\n\n"
    return f"Review ({opinion.by}): {plain(opinion.summary)}\n\n"


def _opinion(opinion: Opinion) -> str:
    rows = [(code(one.place), plain(one.remark)) for one in opinion.remarks]
    return f"## Second review\n\n{_said(opinion)}" + (table(("Place", "Remark"), rows) if rows else "")
