"""Templates see JSON, reach nothing else, and end soon. Known ways out of Jinja's sandbox are tried."""

import time
from typing import Any

import pytest

from flows.pipelines.errors import TemplateRefused
from flows.pipelines.templates import rendering
from flows.pipelines.templates.rendering import evaluate, problems_in, render
from flows.pipelines.templates.values import TextData

VALUES: dict[str, Any] = {
    "sources": [{"label": "one", "content": "hello"}, {"label": "two", "content": "x"}],
    "previous": {"a": [{"data": TextData(text="T1"), "kind": "text"},
                       {"data": {"items": [1], "n": 2}, "kind": "json"}]},
    "options": {"tone": "calm", "none": None},
    "index": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ previous.a[0].data }}/{{ previous.a[0].data.text }}", "T1/T1"),
        ("{{ previous.a[1].data.items }} {{ previous['a'][1]['data']['n'] + 1 }}", "[1] 3"),
        ("{% for one in sources %}{{ loop.index }}{{ one.label|upper }}{% if not loop.last %}, {% endif %}{% endfor %}",
         "1ONE, 2TWO"),
        ("{{ sources|map(attribute='content')|join('+') }}", "hello+x"),
        ("{{ previous.a|selectattr('kind', 'equalto', 'json')|list|length }}", "1"),
        ("{{ previous.a[0].data ~ index ~ options.tone }}", "T10calm"),
        ("{{ options.none }}|{{ options.get('nope', 'else') }}|{{ options.nope|default('d') }}", "|else|d"),
        ("{{ previous.a[1].data|tojson }}", '{"items": [1], "n": 2}'),
        ("{% if 'T' in previous.a[0].data and previous.a[0].data == 'T1' %}yes{% endif %}", "yes"),
        ("{% set x = 'a b'.split() %}{{ x|last|replace('b', 'c') }}", "c"),
        ("<{{ '<b>&' }}>", "<<b>&>"),
        ("{{ [[1], [2]]|sum }} {{ [1, 2]|sum }} {{ sources|join('-', attribute='label') }}", "[1, 2] 3 one-two"),
    ],
)  # fmt: skip
def test_what_a_template_may_do(text: str, shown: str) -> None:
    assert problems_in(text) == []
    assert render(text, VALUES) == shown


ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ ''['__class__'] }}",
    "{{ [].__class__.__base__.__subclasses__() }}",
    "{{ (1).__class__ }}",
    "{{ sources|attr('__class__') }}",
    "{{ sources|map('attr', '__class__')|list }}",
    "{{ sources|map(attribute='__class__')|list }}",
    "{{ sources|map(attribute='__class__.__mro__')|list }}",
    "{{ sources|groupby('__class__') }}",
    "{{ sources|sort(attribute='__class__') }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '{0.__class__}'.format_map({'0': 1}) }}",
    "{{ ('{0.__class__}'|string).format(1) }}",
    "{{ '%s'|format(1) }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ lipsum.__globals__ }}",
    "{{ namespace.__init__ }}",
    "{{ joiner }}",
    "{{ dict(a=1) }}",
    "{{ range.__self__ }}",
    "{{ render.__globals__ }}",
    "{{ sources.append(1) }}",
    "{{ options.update({'a': 1}) }}",
    "{{ options.clear() }}",
    "{{ options.pop('tone') }}",
    "{{ previous.a[0].data.__dict__ }}",
    "{{ previous.a[0].data.setdefault('a', 1) }}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% extends 'x' %}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{{ m.__globals__ }}",
    "{% call x() %}{% endcall %}",
    "{% block a %}{{ super }}{% endblock %}",
    "{% with a = 1 %}{% endwith %}",
    "{% filter upper %}x{% endfilter %}",
    "{% set ns.x = 1 %}",
    "{{ range(*[1, 2]) }}",
    "{{ loop.__class__ }}",
    "{% for x in sources %}{{ loop._iterable }}{% endfor %}",
    "{% for x in sources recursive %}{{ loop(sources) }}{% endfor %}",
    "{{ 'x'.encode('idna') }}",
    "{{ 'x'.join(['a']).translate({}) }}",
    "{{ ''|random }}",
    "{{ 'javascript:x'|urlize }}",
    "{{ sources|pprint }}",
    "{{ _context }}",
    "{{ environment }}",
    "{{ context.environment }}",
    "{{ 2 ** 9 }}",
    "{{ 'a' * 5 }}",
    "{{ [1] * 5 }}",
    "{{ '%99999999d' % 1 }}",
    "{% debug %}",
    "{% autoescape false %}{% endautoescape %}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_ways_out_are_closed(text: str) -> None:
    with pytest.raises(TemplateRefused):
        render(text, VALUES)


GREEDY = [
    "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
    "{{ range(100000) }}",
    "{% set x = 'aaaaaaaaaaaaaaaa' %}" + "{% set x = x ~ x ~ x ~ x ~ x ~ x ~ x ~ x %}" * 12 + "{{ x }}",
    "{% set x = [1] %}" + "{% set x = [x, x, x, x] %}" * 30 + "{{ x }}",
    "{% set x = [1] %}" + "{% set x = [x, x, x, x] %}" * 30 + "{{ x == x }}",
    "{% set x = 'a' %}" + "{% set x = x + x %}" * 60,
    "{% set x = 99999999 %}" + "{% set x = x * x %}" * 30,
    "{% set x = [1] %}" + "{% set x = x + x %}" * 60,
    "{{ ('a'|replace('a', 'b' ~ 'b' ~ 'b')) }}" * 1 + "{% set x = 'aaaaaaaaaaaaaaaaaaaaaaaa' %}"
    + "{% set x = x|replace('a', x) %}" * 12,
    "{{ 'x'|indent(1000000000)|indent(99999999999)|center(9) }}",
    "{{ 'x'.ljust(1000000000) }}",
    "{{ 'x'.zfill(1000000000) }}",
    "{{ 'x'|truncate(3, True, 'y' * 5) }}",
    "{% for a in range(9000) %}{{ sources|tojson }}{{ sources|tojson }}{{ sources|tojson }}{% endfor %}",
    "{{ range(10000)|map('string')|map('replace', '', 'xxxxxxxxxx')|sum }}" * 9,
    "{{ 1e308 * 10 }}" + "{{ (9999999999 * 9999999999) }}",
    "{{ 1.5|round(100000000, 'ceil') }}",
    "{{ 5|round(-300000000) }}",
    "{% set x = 'aaaaaaaaaaaaaaaa'|replace('a', 'A' ~ range(2000)|join) %}{% for a in range(9000) %}"
    "{% if x is in ['y'] or x is upper or x[::2] %}{% endif %}{% endfor %}",
    "{{ range(9000)|map(attribute='a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z', default='x')|list|length }}",
]  # fmt: skip


@pytest.mark.parametrize("text", GREEDY, ids=range(len(GREEDY)))
def test_a_template_that_wants_too_much_is_stopped(text: str) -> None:
    started = time.process_time()
    with pytest.raises(TemplateRefused):
        render(text, VALUES)
    assert time.process_time() - started < 5


def test_what_is_only_checked_is_not_kept() -> None:
    kept = rendering._template.cache_info().currsize, rendering._expression.cache_info().currsize
    assert problems_in("{{ index }} checked only") == problems_in("index + 41", is_expression=True) == []
    assert (rendering._template.cache_info().currsize, rendering._expression.cache_info().currsize) == kept


def test_a_template_cannot_change_what_others_see() -> None:
    for text in ("{{ sources.append(1) }}", "{% set sources = [] %}", "{{ options.update(x=1) }}"):
        try:
            render(text, VALUES)
        except TemplateRefused:
            continue
    assert len(VALUES["sources"]) == 2
    assert set(VALUES["options"]) == {"tone", "none"}


@pytest.mark.parametrize("text", ["{{ options.missing }}", "{{ nothing }}", "{{ previous.b }}", "{{ sources[7] }}"])
def test_what_is_not_there_is_an_error_and_not_a_gap(text: str) -> None:
    with pytest.raises(TemplateRefused):
        render(text, VALUES)


def test_an_expression_gives_a_value() -> None:
    assert evaluate("{'labels': sources|map(attribute='label')|list, 'n': sources|length}", VALUES) == {
        "labels": ["one", "two"],
        "n": 2,
    }
    assert evaluate("options.tone == 'calm' and sources|length > 1", VALUES) is True
    with pytest.raises(TemplateRefused):
        evaluate("options.missing", VALUES)
    with pytest.raises(TemplateRefused):
        evaluate("''.__class__", VALUES)


def test_a_rendering_is_the_same_each_time() -> None:
    text = "{% for s in sources|sort(attribute='label', reverse=true) %}{{ s }}{% endfor %}{{ options|dictsort }}"
    assert len({render(text, VALUES) for _ in range(5)}) == 1
