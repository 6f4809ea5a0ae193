"""Files that runs save, each version a row; their bytes lie in the storage `artifacts`."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0025_budgets")]

    operations = [
        migrations.CreateModel(
            name="Artifact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("version", models.IntegerField(help_text="From 1 in its run and name.")),
                ("media_type", models.CharField(max_length=100)),
                ("size", models.BigIntegerField(help_text="In bytes.")),
                ("digest", models.CharField(help_text="SHA-256 of the content, in hexadecimal.", max_length=64)),
                ("path", models.CharField(
                    help_text="In the storage; a fork's are those of the run it came from.", max_length=200)),
                ("step_name", models.CharField(help_text="The step that saved it.", max_length=200)),
                ("created_at", models.DateTimeField()),
                ("run", models.ForeignKey(
                    db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE,
                    related_name="artifacts", to="runs.run")),
            ],
            options={
                "ordering": ("run", "name", "version"),
                "indexes": [models.Index(fields=["path"], name="artifact_by_path")],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "name", "version"), name="artifact_version_once"),
                ],
            },
        ),
    ]  # fmt: skip
