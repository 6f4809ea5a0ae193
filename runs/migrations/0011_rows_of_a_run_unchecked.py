"""Rows that a transition writes are not checked against their run again, nor indexed twice by it.

On PostgreSQL, a run's page keeps room for the next version of its row: an update that finds room there touches no
index (a HOT update), and each transition updates the row once.
"""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

ROOM = "ALTER TABLE runs_run SET (fillfactor = 50)"
NO_ROOM = "ALTER TABLE runs_run RESET (fillfactor)"
OF_RUN: dict[str, Any] = {
    "db_constraint": False,
    "db_index": False,
    "on_delete": django.db.models.deletion.CASCADE,
    "to": "runs.run",
}


def leave_room(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(ROOM)


def leave_no_room(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(NO_ROOM)


class Migration(migrations.Migration):
    dependencies = [("runs", "0010_claims_stay_cheap")]

    operations = [
        migrations.AlterField("attempt", "run", models.ForeignKey(related_name="attempts", **OF_RUN)),
        migrations.AlterField("checkpoint", "run", models.ForeignKey(related_name="checkpoints", **OF_RUN)),
        migrations.AlterField("event", "run", models.ForeignKey(related_name="events", **OF_RUN)),
        migrations.AlterField("step", "run", models.ForeignKey(related_name="steps", **OF_RUN)),
        migrations.RunPython(leave_room, leave_no_room),
    ]
