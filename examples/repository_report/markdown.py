"""The report in Markdown, section by section."""

from collections import Counter
from collections.abc import Iterable
from itertools import groupby

from examples.repository_report.schema import FileFacts, FolderListing, FunctionFacts
from examples.text import code, plain, table

_SHOWN = 10
_MOST_LISTED = 200


def write_sections(listing: FolderListing, files: list[FileFacts]) -> list[str]:
    """The report's sections in order; each ends with an empty line. Empty ones are left out."""
    sections = [
        _summary(listing, files),
        _largest(files),
        *_files_by_folder(files),
        _functions("Longest functions", "Lines", [(file, file.longest) for file in files]),
        _functions("Most branches", "Complexity", [(file, file.hardest) for file in files]),
        _imports(files),
        _marks(files),
        _problems(files),
    ]
    return [section for section in sections if section]


def largest(files: list[FileFacts]) -> list[FileFacts]:
    return sorted(files, key=lambda file: (-file.lines, file.path))[:_SHOWN]


def _summary(listing: FolderListing, files: list[FileFacts]) -> str:
    total = {
        kind: sum(getattr(file, kind) for file in files)
        for kind in ("lines", "code", "comments", "docstrings", "blank")
    }
    functions, classes = sum(file.functions for file in files), sum(file.classes for file in files)
    left_out = "; ".join(f"{count} {reason}" for reason, count in sorted(listing.left_out.items()))
    text = (
        f"# Report on {code(listing.folder)}\n\n"
        f"{len(files)} Python files have {total['lines']} lines: {total['code']} of code, "
        f"{total['comments']} of comments, {total['docstrings']} of docstrings and {total['blank']} blank. "
        f"They define {functions} functions and {classes} classes.\n\n"
    )
    return text + (f"Left out: {left_out}.\n\n" if left_out else "")


def _largest(files: list[FileFacts]) -> str:
    rows = [(code(file.path), file.lines, file.code, file.complexity) for file in largest(files)]
    return "## Largest files\n\n" + table(("File", "Lines", "Code", "Complexity"), rows)


def _files_by_folder(files: list[FileFacts]) -> Iterable[str]:
    heads = ("File", "Lines", "Code", "Comments", "Docstrings", "Blank", "Functions", "Classes", "Complexity")
    for folder, group in groupby(sorted(files, key=_folder_and_path), key=lambda file: _top_folder(file.path)):
        rows = [(code(file.path), *(getattr(file, head.lower()) for head in heads[1:])) for file in group]
        yield f"## Files in {code(folder)}\n\n" + table(heads, rows)


def _folder_and_path(file: FileFacts) -> tuple[str, str]:
    return _top_folder(file.path), file.path


def _top_folder(path: str) -> str:
    return path.partition("/")[0] + "/" if "/" in path else "./"


def _functions(title: str, column: str, found: list[tuple[FileFacts, FunctionFacts | None]]) -> str:
    measure = column.lower()
    known = [(file, function) for file, function in found if function is not None]
    known.sort(key=lambda pair: (-getattr(pair[1], measure), pair[0].path))
    rows = [
        (code(function.name), code(f"{file.path}:{function.line}"), getattr(function, measure))
        for file, function in known[:_SHOWN]
    ]
    return f"## {title}\n\nThe first of each file.\n\n" + table(("Function", "Place", column), rows) if rows else ""


def _imports(files: list[FileFacts]) -> str:
    counts = Counter(name for file in files for name in file.imports if name != ".")
    rows = [(code(name), count) for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:20]]
    return "## Most imported\n\n" + table(("Package", "Files"), rows) if rows else ""


def _marks(files: list[FileFacts]) -> str:
    return _list(
        "Left to do", [f"{code(f'{file.path}:{mark.line}')} {mark.word}" for file in files for mark in file.marks]
    )


def _problems(files: list[FileFacts]) -> str:
    return _list("Not parsed", [f"{code(file.path)} {plain(file.problem)}" for file in files if file.problem])


def _list(title: str, items: list[str]) -> str:
    if not items:
        return ""
    more = [f"and {len(items) - _MOST_LISTED} more"] if len(items) > _MOST_LISTED else []
    return f"## {title}\n\n" + "".join(f"- {item}\n" for item in items[:_MOST_LISTED] + more) + "\n"
