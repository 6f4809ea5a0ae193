"""A JSON value as a tree of `<details>`: the first nodes are drawn here, the rest by `js/json_tree.js` when opened."""

import json
from collections import deque
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from perdure.dashboard.diffs.lines import spelt
from runs.jobs import readable

MAX_NODES = 200
"""Nodes drawn by the server."""
CHUNK = 100
"""Children shown at once; longer lists are drawn as ranges. `js/json_tree.js` says the same."""
LONG = 240
"""Characters of a text above which it is cut until opened. `js/json_tree.js` says the same."""
SMALL = 20
"""Nodes that are seen at a glance."""
MAX_DEPTH = 40
"""Levels drawn by the server; deeper ones are opened by the page's script."""

Path = tuple[str | int, ...]
_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


@dataclass(frozen=True)
class Tree:
    html: SafeString
    source: SafeString
    """The value as indented JSON, safe inside a `<script type="application/json">`."""
    text: str
    """The same, readable: for pages without scripts."""
    is_whole: bool
    """Whether everything is drawn."""
    is_small: bool
    """Whether a glance finds everything, so that a search would be in the way."""


def draw(value: Any) -> Tree:
    """The tree of a value, in which signs that nobody sees are spelt. Raises TypeError for what JSON does not know."""
    text = readable(value)
    opened, is_whole, drawn = _choose(value)
    pen = _Pen(opened)
    html = pen.node((), "", value) if isinstance(value, dict | list) else pen.leaf((), "", value)
    source = mark_safe(text.translate(_ESCAPES))
    is_whole = is_whole and not pen.has_cut
    return Tree(html, source, text, is_whole, is_whole and drawn <= SMALL)


def _choose(value: Any) -> tuple[set[Path], bool, int]:
    """The paths of what is drawn with its children: outer levels first, so that no long child hides its brothers.

    With whether these are all, and how many nodes they make.
    """
    opened: set[Path] = set()
    left, is_whole = MAX_NODES, True
    queue: deque[tuple[Path, Any]] = deque([((), value)])
    while queue:
        path, inner = queue.popleft()
        if not isinstance(inner, dict | list) or not inner:
            continue
        if len(inner) > min(left, CHUNK) or len(path) >= MAX_DEPTH:
            is_whole = False
            continue
        left -= len(inner)
        opened.add(path)
        queue.extend(((*path, key), child) for key, child in _items(inner))
    return opened, is_whole, MAX_NODES - left


def _items(value: Any) -> Any:
    return value.items() if isinstance(value, dict) else enumerate(value)


class _Pen:
    def __init__(self, opened: set[Path]) -> None:
        self.opened = opened
        self.has_cut = False

    def any(self, path: Path, key: str | int, value: Any) -> SafeString:
        return self.node(path, key, value) if isinstance(value, dict | list) and value else self.leaf(path, key, value)

    def node(self, path: Path, key: str | int, value: Any) -> SafeString:
        drawn = path in self.opened
        inner = self._children(path, value) if drawn else mark_safe("")
        state = mark_safe(" open" if len(path) < 2 and drawn else "")
        lazy = mark_safe("") if drawn else format_html(' data-path="{}"', json.dumps(path))
        return format_html(
            '<details class="json-node"{}{}><summary>{}<span class="json-count">{}</span></summary>'
            '<div class="json-children">{}</div></details>',
            state,
            lazy,
            _key(key, path),
            _count(value),
            inner,
        )

    def _children(self, path: Path, value: Any) -> SafeString:
        return format_html_join("", "{}", ((self.any((*path, key), key, child),) for key, child in _items(value)))

    def leaf(self, path: Path, key: str | int, value: Any) -> SafeString:
        if isinstance(value, str) and len(value) > LONG:
            return self._long(path, key, value)
        return format_html(
            '<div class="json-leaf">{}<span class="json-{}">{}</span></div>',
            _key(key, path),
            _kind(value),
            readable(value),
        )

    def _long(self, path: Path, key: str | int, value: str) -> SafeString:
        self.has_cut = True
        return format_html(
            '<details class="json-node json-long" data-path="{}"><summary>{}<span class="json-string">{}</span>'
            ' <span class="json-count">{} characters</span></summary><div class="json-children"></div></details>',
            json.dumps(path),
            _key(key, path),
            readable(value[:80])[:-1] + "…",
            f"{len(value):,}",
        )


def _key(key: str | int, path: Path) -> SafeString:
    return format_html('<span class="json-key">{}</span>', spelt(str(key))) if path else mark_safe("")


def _count(value: Any) -> str:
    unit = ("key", "keys") if isinstance(value, dict) else ("item", "items")
    return f"{len(value):,} {unit[len(value) != 1]}"


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "word"
    return "string" if isinstance(value, str) else "number" if isinstance(value, int | float) else "empty"
