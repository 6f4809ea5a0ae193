"""The jobs of this app; importing them registers them."""

from examples.code_review.job import code_review
from examples.countdown import countdown
from examples.expense import expense
from examples.repository_report.job import repository_report

__all__ = ["code_review", "countdown", "expense", "repository_report"]
