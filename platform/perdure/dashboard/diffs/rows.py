"""Lines of a diff as HTML, written without the cost of a template for each."""

from collections.abc import Sequence

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from perdure.dashboard.diffs.files import Block, Hunk, Line
from perdure.dashboard.diffs.lines import spelt

_SIGNS = {"same": " ", "add": "+", "remove": "-", "note": ""}


def heading_rows(lines: Sequence[str]) -> SafeString:
    """Lines that name files or say what no hunk says: modes, renames, whatever stands between files."""
    return mark_safe("".join(f'<span class="place">{escape(spelt(line))}\n</span>' for line in lines))


def hunk_rows(hunk: Hunk) -> SafeString:
    """A hunk's blocks. What stays is there once more for the right side of the view side by side, hidden to readers."""
    return mark_safe(heading_rows([hunk.heading]) + "".join(map(_block, hunk.blocks)))


def _block(block: Block) -> str:
    if block.same:
        rows = _rows(block.same)
        return f'<span class="block"><span>{rows}</span><span class="twin" aria-hidden="true">{rows}</span></span>'
    sides = f"<span>{_rows(block.removed)}</span><span>{_rows(block.added)}</span>"
    return f'<span class="block change">{sides}</span>'


def _rows(lines: Sequence[Line]) -> str:
    return "".join(map(_row, lines))


def _row(line: Line) -> str:
    numbers = "".join(f' data-{side}="{at}"' for side, at in (("old", line.old), ("new", line.new)) if at is not None)
    return f'<span class="{line.look}"{numbers}>{_SIGNS[line.look]}{_text(line)}\n</span>'


def _text(line: Line) -> str:
    if line.marked is None:
        return escape(spelt(line.text))
    start, end = line.marked
    parts = (line.text[:start], line.text[start:end], line.text[end:])
    before, changed, after = (escape(spelt(part)) for part in parts)
    return f"{before}<mark>{changed}</mark>{after}" if changed else before + after
