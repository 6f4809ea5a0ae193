"""What can be wrong in a document."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a document, and where: `line` counts from 1, 0 where there is no text to point at."""

    message: str
    path: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.path + ': ' if self.path else ''}{self.message}"


class InvalidDocument(Exception):
    """Text that is no document, or none of the wanted shape. Loaders tell it as an error of their own."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(str(one) for one in self.problems[:5]))


def meant(word: str, known: Iterable[str]) -> str:
    """What somebody may have meant who wrote `word`: the end of a message, empty where nothing is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
