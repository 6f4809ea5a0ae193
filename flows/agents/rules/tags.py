"""The tag `[STEP:N]` with which an agent names the rule that fits its answer."""

import re

_DIGITS = 9
"""Of a number; a longer one is out of every range."""


def tag_of(step: str, number: int) -> str:
    """What the agent of this step writes for rule `number`, counted from 1."""
    return f"[{step.upper()}:{number}]"


def first_tag(step: str, content: str) -> int | None:
    """The number of the first tag of this step in the text, None where there is none. Not range-checked."""
    found = re.search(rf"\[{re.escape(step)}:([0-9]+)\]", content, re.IGNORECASE)
    if found is None:
        return None
    digits = found[1].lstrip("0")[: _DIGITS + 1]
    return int(digits or 0)


def without_tags(step: str, content: str) -> str:
    """The text as people read it: what it tells the flow by a tag is left out."""
    return re.sub(rf"[ \t]*\[{re.escape(step)}:[0-9]+\]", "", content, flags=re.IGNORECASE)
