"""Texts of a flow by their names: entries of its sections, files beside it, or written where they are used."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from flows import documents
from flows.documents import InvalidDocument, Path
from flows.documents.problems import meant

MAX_BYTES = 512 * 1024
MAX_FILES = 200
_FILE = re.compile(r"[^\s{}]+\.(md|txt|yaml|yml|json)")
_NAME = re.compile(r"[\w][\w-]*")
_SUFFIXES = (".md", ".txt", ".yaml", ".yml", ".json")

FOLDERS = ("personas", "policies", "knowledge", "instructions", "report_formats", "schemas")


class Piece(NamedTuple):
    """A text, and where it stands: in a file from its first line on, or at a path of the flow's own document."""

    text: str
    file: str = ""
    path: Path = ()


class Refused(Exception):
    """A text or file that is not there, or may not be read; told as a problem of the flow."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message, self.remedy = message, remedy
        super().__init__(message)


def is_file(text: str) -> bool:
    """A single word that ends like a file's name is one: `policies/coding.md`."""
    return len(text) <= 300 and _FILE.fullmatch(text) is not None


@dataclass
class Facets:
    """Reads each file once. `folder` is the app's flows/, and None for stored flows: they have no files."""

    folder: FilePath | None
    _read: dict[FilePath, str] = field(default_factory=dict)

    def text(self, kind: str, written: str, section: Mapping[str, Any], at: Path, *, inline: bool) -> Piece:
        """The text that `written`, at a path of the document, stands for. With `inline` it may be the text itself.

        Where nothing of the kind has a name, a single word is the text, and of a persona all that is told. Raises
        Refused.
        """
        if written in section:
            found = section[written]
            return self.entry(found, (kind, written)) if isinstance(found, str) else Piece("")
        if is_file(written):
            return self.file(written)
        if not _NAME.fullmatch(written):
            if inline:
                return Piece(written, path=at)
        elif (path := self.named(kind, written)) is not None:
            return self.file(path)
        known = sorted({*section, *self.names(kind)})
        if inline and not known:
            return Piece("" if kind == "personas" else written, path=at)
        raise Refused(
            f"there is no {written[:50]!r} in {kind}{meant(written, known)}",
            f"Use one of: {', '.join(known[:20])}." if known else f"Write it under {kind}, or name a file (.md).",
        )

    def entry(self, written: str, at: Path) -> Piece:
        """What an entry of a section stands for: a file, or the text itself. Raises Refused."""
        return self.file(written) if is_file(written) else Piece(written, path=at)

    def named(self, kind: str, name: str) -> str | None:
        """The path of the facet with a bare name, None if there is none: `policies/<name>.md`."""
        if self.folder is None or not _NAME.fullmatch(name):
            return None
        paths = (f"{kind}/{name}{suffix}" for suffix in _SUFFIXES)
        return next((path for path in paths if (self.folder / path).is_file()), None)

    def names(self, kind: str) -> list[str]:
        if self.folder is None:
            return []
        return [path.stem for path in sorted((self.folder / kind).glob("*")) if path.suffix in _SUFFIXES][:100]

    def file(self, written: str) -> Piece:
        """Raises Refused."""
        path = self._allowed(written)
        if path not in self._read:
            if len(self._read) >= MAX_FILES:
                raise Refused(f"the flow reads more than {MAX_FILES} files", "Put short texts into the flow itself.")
            self._read[path] = self._content(path, written)
        return Piece(self._read[path], str((self.folder or FilePath()) / written))

    def value(self, piece: Piece) -> Any:
        """The value of a YAML or JSON text, as of a schema. Raises Refused."""
        try:
            return documents.read(piece.text).value
        except InvalidDocument as exc:
            where = f" of {piece.file}" if piece.file else ""
            raise Refused(f"{exc.problems[0]}{where}", "Correct the YAML or JSON.") from exc

    def _allowed(self, written: str) -> FilePath:
        if self.folder is None:
            raise Refused(f"{written[:100]!r} is a file, and a stored flow has none", "Write the text itself.")
        root = self.folder.resolve()
        path = (self.folder / written).resolve()
        if FilePath(written).is_absolute() or ".." in FilePath(written).parts or not path.is_relative_to(root):
            raise Refused(f"{written[:100]!r} lies outside of the flow's folder", f"Move it below {self.folder}.")
        if not path.is_file():
            near = [
                str(one.relative_to(root)) for depth in ("*", "*/*") for one in sorted(root.glob(depth + path.suffix))
            ]
            raise Refused(f"there is no file {written[:100]!r}{meant(written, near)}", f"Create it in {self.folder}.")
        return path

    def _content(self, path: FilePath, written: str) -> str:
        try:
            if path.stat().st_size > MAX_BYTES:
                raise Refused(f"{written!r} is larger than {MAX_BYTES // 1024} KiB", "Make it shorter.")
            return path.read_text(encoding="utf-8").rstrip()
        except (OSError, UnicodeDecodeError) as exc:
            raise Refused(f"{written!r} cannot be read: {exc}", "Save it as UTF-8 text.") from exc
