"""Documents that people write: YAML or JSON whose every problem has a line. Below everything else in flows."""

from flows.documents.problems import InvalidDocument, Problem
from flows.documents.reading import Document, Path, dotted, read, write

__all__ = ["Document", "InvalidDocument", "Path", "Problem", "dotted", "read", "write"]
