"""Long texts: the beginning stands in the page, the rest is put there by `js/long_text.js` as one scrolls."""

from dataclasses import dataclass

WINDOW = 20_000
"""Characters that the page shows at once."""


@dataclass(frozen=True)
class LongText:
    start: str
    rest: str
    """Empty when the whole text stands in `start`."""

    @property
    def length(self) -> int:
        return len(self.start) + len(self.rest)


def split(text: str) -> LongText:
    """Parts `text` after a line's end near the window's, so that no line is torn where there are lines."""
    if len(text) <= WINDOW:
        return LongText(text, "")
    end = text.rfind("\n", WINDOW // 2, WINDOW) + 1 or WINDOW
    return LongText(text[:end], text[end:])
