"""Source code with its words marked by class, for the style sheet to colour."""

from functools import lru_cache

from django.utils.safestring import SafeString, mark_safe
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

MAX_MARKED = 100_000
"""Characters; longer code is shown unmarked, for marking it would take a second."""


def mark(text: str, language: str) -> SafeString:
    """`text` as spans with Pygments' short classes; an unknown language is shown as plain text."""
    lexer = TextLexer(stripnl=False, ensurenl=False) if len(text) > MAX_MARKED else _lexer(language)
    marked: str = highlight(text, lexer, HtmlFormatter(nowrap=True))
    return mark_safe(marked.removesuffix("\n"))


@lru_cache(maxsize=32)
def _lexer(language: str) -> Lexer:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return TextLexer(stripnl=False, ensurenl=False)
