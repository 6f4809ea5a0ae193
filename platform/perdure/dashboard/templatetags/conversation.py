"""Filters of the Conversation tab."""

import json
from typing import Any

from django import template

MOST_JSON = 100_000
"""Characters of a text that is shown as a tree."""

FAR = 100_000
"""Characters of a text of which a page holds the beginning alone."""

register = template.Library()


@register.filter
def is_far(text: str) -> bool:
    """Whether the page asks for the rest of a text when somebody wants to read it."""
    return len(text) > FAR


@register.filter
def as_json(text: str) -> Any:
    """The object or list that an answer is; None for one that is no JSON, or too long for a tree."""
    if len(text) > MOST_JSON or not text.lstrip().startswith(("{", "[")):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None
