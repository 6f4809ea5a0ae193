"""The admin of model calls."""

from flows.llm.admin import profiles, slots

__all__ = ["profiles", "slots"]
