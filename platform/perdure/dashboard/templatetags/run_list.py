"""Tags of the list of runs."""

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from perdure.dashboard.run_list.filters import RunFilter

register = template.Library()


@register.filter
def thousands(number: int) -> str:
    """12,345: a long count that can be read."""
    return f"{number:,}"


@register.simple_tag
def hidden_filter(wanted: RunFilter, *without: str) -> SafeString:
    """The filter as hidden fields of a form that has fields of its own for those `without`."""
    empty = {name: () if isinstance(getattr(wanted, name), tuple) else "" for name in without}
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', wanted.pairs(**empty))
