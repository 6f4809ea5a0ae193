"""Tags that draw charts on the server: each picture has its data beside it as a table."""

from collections.abc import Sequence
from typing import Any

from django import template

from perdure.dashboard.charts import drawing
from perdure.dashboard.charts.points import Point, Series, plain

register = template.Library()


@register.inclusion_tag("dashboard/charts/_sparkline.html")
def sparkline(points: Sequence[Point], label: str) -> dict[str, Any]:
    """A small line over time, the newest value marked."""
    return {"spark": drawing.spark(points), "points": points, "label": label}


@register.inclusion_tag("dashboard/charts/_bars.html")
def bar_chart(points: Sequence[Point], label: str) -> dict[str, Any]:
    """A bar for each point."""
    return {"bars": drawing.bars(points), "points": points, "label": label}


@register.inclusion_tag("dashboard/charts/_stacked.html")
def stacked_chart(labels: Sequence[str], series: Sequence[Series], label: str) -> dict[str, Any]:
    """A bar for each label, made of a piece for each series; the legend names them."""
    rows = [(name, [plain(one.values[index]) for one in series]) for index, name in enumerate(labels)]
    legend = [(one.name, index % drawing.COLOURS + 1) for index, one in enumerate(series)]
    ends = (labels[0], labels[-1]) if labels else ("", "")
    return {"bars": drawing.stacked(labels, series), "rows": rows, "legend": legend, "label": label, "ends": ends}
