"""Text in small pieces, for steps that stream it."""

from collections.abc import Iterator


def pieces(text: str, size: int) -> Iterator[str]:
    """`text` cut after every `size` characters."""
    for start in range(0, len(text), size):
        yield text[start : start + size]
