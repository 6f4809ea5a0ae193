"""Indexes for what claims and sweeps look at again and again: the next time, the holders of a key, stranded runs."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("runs", "0009_queues")]

    operations = [
        migrations.AddIndex(
            model_name="run",
            index=models.Index(condition=Q(due_at__isnull=False), fields=["due_at"], name="run_due_next"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=Q(concurrency_key__isnull=False, started_at__isnull=False, finished_at=None),
                fields=["job", "concurrency_key"],
                name="run_holds_key",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(condition=Q(reason="no_worker_for_version"), fields=["id"], name="run_stranded"),
        ),
    ]
