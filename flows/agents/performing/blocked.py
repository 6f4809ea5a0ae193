"""How an agent says that it cannot go on."""

import re

_MARK = re.compile(r"^[ \t]*\[BLOCKED\][ \t]*\r?\n?", re.MULTILINE)


def blocked_text(content: str) -> str | None:
    """What stands beside `[BLOCKED]`, which has a line of its own; None where there is no such line."""
    rest, found = _MARK.subn("", content)
    return rest.strip() if found else None
