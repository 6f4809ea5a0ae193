"""Indexes by which a claim finds due runs without reading those that it will not take."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("runs", "0020_what_is_broken_is_found_quickly")]

    operations = [
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=Q(status__in=["queued", "waiting"], due_at__isnull=False, concurrency_key=None),
                fields=["queue", "job", "job_version", "priority", "due_at", "id"],
                name="run_due_in_group",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=Q(status__in=["queued", "waiting"], due_at__isnull=False, concurrency_key__isnull=False),
                fields=["job", "job_version", "due_at"],
                name="run_due_with_key",
            ),
        ),
    ]
