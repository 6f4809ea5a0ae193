"""The tag `[STEP:N]` with which an agent names the rule that fits its answer: the step's name, or the word STEP."""

import re

_DIGITS = 9
"""Of a number; a longer one is out of every range."""


def tag_of(step: str, number: int) -> str:
    """What the agent of this step writes for rule `number`, counted from 1."""
    return f"[{step.upper()}:{number}]"


def first_tag(step: str, content: str) -> int | None:
    """The number of the first tag of this step in the text, None where there is none. Not range-checked."""
    found = re.search(rf"\[{_written(step)}:([0-9]+)\]", content, re.IGNORECASE)
    if found is None:
        return None
    digits = found[1].lstrip("0")[: _DIGITS + 1]
    return int(digits or 0)


def without_tags(step: str, content: str) -> str:
    """The text as people read it: what it tells the flow by a tag is left out."""
    return re.sub(rf"[ \t]*\[{_written(step)}:[0-9]+\]", "", content, flags=re.IGNORECASE)


def _written(step: str) -> str:
    # the name in capitals too: "ß" is written "SS" there, which matching without regard to case does not know
    return f"(?:{'|'.join(map(re.escape, (step, step.upper(), 'STEP')))})"
