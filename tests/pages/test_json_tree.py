"""JSON values in pages: whole for those without scripts, quick however large, and never markup."""

import json
import re
from typing import Any

from django.template import Context, Template
from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.dashboard.values import json_tree

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(), inner, max_size=6),
    max_leaves=30,
)


def render(value: Any, name: str = "Output") -> str:
    return Template("{% load dashboard %}{% json_tree value name %}").render(Context({"value": value, "name": name}))


def source_of(html: str) -> str:
    found = re.search(r'<script type="application/json" data-json-source>(.*?)</script>', html, flags=re.DOTALL)
    assert found
    return found[1]


def drawn(html: str) -> int:
    return html.count('class="json-leaf"') + html.count('class="json-node')


@settings(max_examples=30, deadline=None)
@given(VALUES)
def test_the_page_carries_the_value_as_it_is(value: Any) -> None:
    assert json.loads(source_of(render(value))) == value


@settings(max_examples=30, deadline=None)
@given(st.text(alphabet="<>&\"'/script! -", max_size=60))
def test_no_text_becomes_markup(text: str) -> None:
    html = render({text: text, "list": [text]}, text)
    assert not {"<", ">", "&"} & set(source_of(html))
    inside = html.split("data-json-root>", 1)[1].split("<pre", 1)[0]
    tags = set(re.findall(r"</?([a-z]+)", inside))
    assert tags <= {"details", "summary", "span", "div"}


def test_a_small_value_is_drawn_whole() -> None:
    html = render({"name": "Ada", "tags": ["a", "b"], "none": None, "empty": []})
    for shown in (
        '<span class="json-string">&quot;Ada&quot;</span>',
        '<span class="json-word">null</span>',
        ">2 items<",
    ):
        assert shown in html
    assert "<noscript>" not in html
    assert "data-path" not in html
    assert "data-json-search" not in html


def test_what_a_glance_does_not_find_is_searched() -> None:
    assert "data-json-search" in render({"numbers": list(range(30))})
    assert "data-json-search" in render({"text": "word " * 100})


def test_outer_levels_are_drawn_before_a_long_child() -> None:
    html = render({"long": list(range(5000)), "short": {"inside": 1}, "last": True})
    assert all(f'<span class="json-key">{key}</span>' in html for key in ("long", "short", "inside", "last"))
    assert 'data-path="[&quot;long&quot;]"' in html
    assert drawn(html) < 10


def test_a_huge_value_costs_a_bounded_page() -> None:
    html = render([[{"name": "x"} for _ in range(90)] for _ in range(90)])
    assert drawn(html) <= json_tree.MAX_NODES + 1
    assert "<noscript>" in html


def test_a_deep_value_is_drawn_without_recursing_for_ever() -> None:
    value: Any = "core"
    for _ in range(400):
        value = [value]
    html = render(value)
    assert drawn(html) <= json_tree.MAX_DEPTH + 1
    assert "core" in source_of(html)


def test_a_long_text_is_cut_until_it_is_opened() -> None:
    html = render({"note": "word " * 100})
    assert "500 characters" in html
    assert html.split("data-json-source")[0].count("word") < 20


def test_a_scalar_is_a_value_too() -> None:
    assert '<span class="json-number">42</span>' in render(42)
