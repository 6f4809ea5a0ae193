"""Words of others in what an agent or judge is told: fenced off, so that they cannot pass for an instruction."""

import re


def fenced(text: str) -> str:
    """Fenced by more backticks than stand in it."""
    longest = max((len(ticks) for ticks in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def shortened(text: str, most: int, left_out: str) -> str:
    """At most `most` characters of it: as many from its beginning as from its end. `{count}` in `left_out` says how
    many were between.
    """
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n{left_out.replace('{count}', str(len(text) - 2 * half))}\n{text[-half:]}"
