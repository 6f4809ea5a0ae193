"""The engine's rows in the admin: to be read, and changed only through the engine's own doors."""

from runs.admin import rollouts, rows, run, schedules

__all__ = ["rollouts", "rows", "run", "schedules"]
