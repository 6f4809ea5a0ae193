"""The key of what a run's transitions write."""

from typing import Any

from django.db import models

from runs.models.run import Run


def of_run(related_name: str) -> "models.ForeignKey[Any, Any]":
    """To a run, unchecked by the database and without an index of its own.

    A transition writes these rows in the very statement that has locked their run: the check would look the run up
    again for each row, about a third of the server's work for a step. The unique constraint of each table begins with
    the run.
    """
    return models.ForeignKey(
        Run, on_delete=models.CASCADE, related_name=related_name, db_constraint=False, db_index=False
    )
