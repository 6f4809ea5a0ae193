"""Charts: the picture stays inside its frame, and its data stand beside it as a table."""

from typing import Any

from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from perdure.dashboard.charts import drawing
from perdure.dashboard.charts.points import Point, Series, points_of

VALUES = st.lists(st.none() | st.floats(min_value=0, max_value=1e12), max_size=40)


def draw(text: str, **context: Any) -> str:
    return Template("{% load charts %}" + text).render(Context(context))


@given(VALUES)
def test_every_mark_of_a_line_is_inside(values: list[float | None]) -> None:
    drawn = drawing.spark([Point(str(index), value) for index, value in enumerate(values)])
    assert len(drawn.marks) == sum(value is not None for value in values)
    for mark in drawn.marks:
        assert 0 <= mark.x <= drawn.width
        assert 0 <= mark.y <= drawn.height


@given(st.lists(st.lists(st.floats(min_value=0, max_value=1e9), min_size=5, max_size=5), min_size=1, max_size=8))
def test_pieces_of_a_bar_stand_on_each_other_inside_the_frame(rows: list[list[float]]) -> None:
    drawn = drawing.stacked(list("abcde"), [Series(str(number), row) for number, row in enumerate(rows)])
    for mark in drawn.marks:
        assert mark.y >= -1e-6
        assert mark.y + mark.height <= drawn.height + 1e-6
        assert 1 <= mark.colour <= drawing.COLOURS


def test_a_line_breaks_where_nothing_was_measured() -> None:
    drawn = drawing.spark(points_of([("a", 1), ("b", None), ("c", 2), ("d", 3)]))
    assert len(drawn.lines) == 2


def test_the_data_of_a_picture_are_reachable_as_a_table() -> None:
    text = draw('{% sparkline points "Runs that ended" %}', points=points_of([("10:00", 3), ("11:00", None)]))
    assert 'role="img"' in text
    assert 'aria-label="Runs that ended"' in text
    assert '<th scope="row">10:00</th><td class="number">3</td>' in text
    assert '<th scope="row">11:00</th><td class="number">–</td>' in text
    text = draw(
        '{% stacked_chart labels series "Tokens" %}', labels=["1 May"], series=[Series("a", [5]), Series("b", [7])]
    )
    assert "<title>b, 1 May: 7</title>" in text
    assert '<th scope="col">b</th>' in text
    assert "style=" not in text


def test_names_from_runs_run_nothing() -> None:
    series = [Series("<script>alert(1)</script>", [1])]
    text = draw("{% stacked_chart labels series label %}", labels=["<b>"], series=series, label='"><img>')
    assert "<script>" not in text
    assert "<b>" not in text
    assert "<img>" not in text


def test_nothing_is_drawn_of_nothing() -> None:
    assert "<svg" in draw('{% sparkline points "None" %}', points=[])
    assert "<svg" in draw('{% stacked_chart labels series "None" %}', labels=[], series=[])
    assert "<rect" not in draw('{% bar_chart points "None" %}', points=points_of([("a", 0), ("b", None)]))
