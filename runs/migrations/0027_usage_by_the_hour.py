"""What attempts have used is added up by the hour; those that are not added yet have an index of their own."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("runs", "0026_artifacts"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="is_counted",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Its usage is in that of its hour."
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(usage__isnull=False, is_counted=False), fields=["id"], name="attempt_uncounted"
            ),
        ),
        migrations.CreateModel(
            name="UsageHour",
            fields=[
                ("key", models.CharField(
                    editable=False, help_text="SHA-256 of what it is of.", max_length=64, primary_key=True,
                    serialize=False)),
                ("hour", models.DateTimeField(help_text="Its beginning, UTC.")),
                ("job", models.CharField(max_length=200)),
                ("provider", models.CharField(blank=True, default="", max_length=100)),
                ("model", models.CharField(
                    blank=True, default="", help_text="Empty: the attempt named none.", max_length=200)),
                ("attempts", models.BigIntegerField(default=0)),
                ("input_tokens", models.BigIntegerField(default=0)),
                ("output_tokens", models.BigIntegerField(default=0)),
                ("cost", models.BigIntegerField(default=0, help_text="In billionths.")),
                ("owner", models.ForeignKey(
                    blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                    to=settings.AUTH_USER_MODEL)),
                ("team", models.ForeignKey(
                    blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                    to="auth.group")),
            ],
            options={
                "ordering": ("-hour", "job"),
                "indexes": [models.Index(fields=["hour"], name="usage_by_hour")],
            },
        ),
    ]  # fmt: skip
