"""Where a problem stands: the file, the line, and the step's name."""

from collections.abc import Mapping, Sequence

from flows.agents.errors import FlowProblem
from flows.agents.facets import Piece
from flows.agents.validation import Found
from flows.documents import Document, Path, dotted

LINES_BETWEEN = 3
"""Between two parts of a text, beside the last line of the first."""


class Places:
    """`pieces` holds, by path, of what a text was put together."""

    def __init__(self, document: Document | None = None) -> None:
        self._document = document or Document()
        self.pieces: Mapping[Path, Sequence[Piece]] = {}

    def problem(self, found: Found) -> FlowProblem:
        file, line = self._place(found)
        path, step = dotted(found.path), self.step_at(found.path)
        return FlowProblem(found.message, path, line, step, file, found.remedy)

    def step_at(self, path: Path) -> str:
        """The name of the step that a path leads into; of a sub-step its own."""
        value, name = self._document.value, ""
        for at, part in enumerate(path):
            value = _part(value, part)
            if at and path[at - 1] in ("steps", "parallel") and isinstance(value, dict):
                name = str(value.get("name", ""))
        return name

    def _place(self, found: Found) -> tuple[str, int]:
        line = found.line
        if not line:
            return "", self._document.line_of(found.path)
        for piece in self.pieces.get(found.path, ()):
            length = piece.text.count("\n") + 1
            if line <= length:
                return (piece.file, line) if piece.file else ("", self._line_in(piece.path, line))
            line -= length + LINES_BETWEEN
        return "", self._line_in(found.path, found.line)

    def _line_in(self, path: Path, line: int) -> int:
        """The line of a text that stands in the document itself; nothing is known of one within a longer line."""
        first = self._document.text_lines.get(path)
        return self._document.line_of(path) if first is None else first + line - 1


def _part(value: object, part: str | int) -> object:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None
