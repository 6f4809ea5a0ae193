"""The jobs of this app; importing them registers them."""

from examples.countdown import countdown
from examples.expense import expense
from examples.repository_report.job import repository_report

__all__ = ["countdown", "expense", "repository_report"]
