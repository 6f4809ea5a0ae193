"""The admin of people in the loop."""

from hitl.admin import deliveries, questions

__all__ = ["deliveries", "questions"]
