"""Times of the timeline."""

from django import template

from perdure.dashboard.run.rows import duration_text

register = template.Library()


@register.filter
def milliseconds(value: int) -> str:
    """A length of time in words."""
    return duration_text(value / 1000)
