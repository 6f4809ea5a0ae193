"""Indexes for what sweeps and repairs look at again and again, and who may check the invariants on a page."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("runs", "0011_rows_of_a_run_unchecked")]

    operations = [
        migrations.AlterModelOptions(
            name="run",
            options={"ordering": ("-id",), "permissions": (("check_invariants", "Can check the invariants"),)},
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(condition=Q(reason="no_worker_for_queue"), fields=["id"], name="run_unserved"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=Q(parent__isnull=False, finished_at=None, is_detached=False),
                fields=["parent"],
                name="run_child_under_way",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=Q(end_hook="armed", finished_at__isnull=False), fields=["id"], name="run_end_hook_armed"
            ),
        ),
    ]
