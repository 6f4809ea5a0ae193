"""Code and long texts in pages."""

import json
import re

from django.template import Context, Template
from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.dashboard.values import long_text, source_code


def render(tag: str, **values: str) -> str:
    return Template(f"{{% load dashboard %}}{{% {tag} %}}").render(Context(values))


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab\n", max_size=400).map(lambda text: text * 200))
def test_no_character_of_a_long_text_is_lost(text: str) -> None:
    parts = long_text.split(text)
    assert parts.start + parts.rest == text
    assert len(parts.start) <= long_text.WINDOW
    assert parts.length == len(text)


def test_a_long_text_is_parted_between_lines() -> None:
    parts = long_text.split("a line\n" * 10_000)
    assert parts.start.endswith("\n")
    assert parts.rest.startswith("a line")


def test_a_short_text_needs_no_script() -> None:
    assert render("long_text text", text="<b>short</b>").strip() == '<pre class="text">&lt;b&gt;short&lt;/b&gt;</pre>'


def test_the_rest_of_a_long_text_is_there_with_and_without_scripts() -> None:
    text = "</script><b>" + "x" * 30_000 + "the end"
    html = render("long_text text", text=text)
    found = re.search(r'<script type="application/json">(.*?)</script>', html, flags=re.DOTALL)
    assert found
    assert json.loads(found[1]).endswith("the end")
    assert "<b>" not in html
    assert html.split("<noscript>")[1].count("the end") == 1


def test_code_is_marked_by_the_words_of_its_language() -> None:
    html = render("code text 'python'", text="def go(): return '<b>'")
    assert '<span class="k">def</span>' in html
    assert "<b>" not in html
    assert 'data-copy="def go(): return &#x27;&lt;b&gt;&#x27;"' in html


def test_an_unknown_language_and_long_code_stay_plain() -> None:
    assert source_code.mark("def go(): ...", "klingon") == "def go(): ..."
    assert "<span" not in source_code.mark("def go(): ...\n" * 10_000, "python")
