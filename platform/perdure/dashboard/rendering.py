"""Recorded values as HTML that cannot run anything."""

from typing import Any

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from flows.pipelines.results import texts_of
from perdure.dashboard.diffs.lines import is_diff

MAX_RENDERED = 200_000
"""Characters."""

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
# No images: a remote one would tell its server who reads this page.
_tags = nh3.ALLOWED_TAGS - {"img", "style", "map", "area"}


def render_markdown(text: str) -> SafeString:
    """Markdown as sanitised HTML: raw HTML is shown as text, script links and images are dropped."""
    clean = nh3.clean(_render(text), tags=_tags, url_schemes={"http", "https", "mailto"})
    return mark_safe(_with_stops(clean))


def _with_stops(clean: str) -> str:
    """What scrolls on its own is a stop of the Tab key. In clean HTML a tag is never part of a text."""
    return clean.replace("<table>", '<table tabindex="0">').replace("<pre>", '<pre tabindex="0">')


def _render(text: str) -> str:
    tokens = _markdown.parse(text)
    for token in tokens:
        # A column's alignment comes as a style attribute, which the content policy forbids.
        if style := str(token.attrs.pop("style", "")):
            token.attrs["align"] = style.removeprefix("text-align:")
    return str(_markdown.renderer.render(tokens, _markdown.options, {}))


def looks_like_markdown(text: str) -> bool:
    """Whether rendering helps: a plain line stays as it is, and a text that would take seconds too."""
    if len(text) > MAX_RENDERED or is_diff(text):
        return False
    lines = text.splitlines()
    marks = ("#", "- ", "* ", "> ", "|", "```", "1. ")
    return "**" in text or any(line.lstrip().startswith(marks) for line in lines)


def texts_in(value: Any) -> list[tuple[str, str]]:
    """The long texts of a result as (name, text): the result itself, or the fields of it that are worth rendering.

    Of a pipeline they are its result items.
    """
    if isinstance(value, str):
        return [("", value)]
    if of_pipeline := texts_of(value):
        return of_pipeline
    if isinstance(value, dict):
        return [(name, text) for name, text in value.items() if isinstance(text, str) and "\n" in text]
    return []
