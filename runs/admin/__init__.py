"""The engine's rows in the admin: to be read, and changed only through the engine's own doors."""

from runs.admin import queues, rollouts, rows, run, schedules, workers

__all__ = ["queues", "rollouts", "rows", "run", "schedules", "workers"]
