"""Numbers of usage in pages."""

from django import template

from perdure.dashboard.usage import numbers

register = template.Library()
register.filter("amount", numbers.amount)
