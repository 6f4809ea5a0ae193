"""What each run has used has a row of its own; lists go by it, and by how long runs took."""

from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import runs.models.run

NAMES = ("attempts", "input_tokens", "output_tokens", "cost")


def add_up(apps: Any, schema_editor: Any) -> None:
    """Attempts that stand in their hours are never added again, so here."""
    sums: dict[UUID, list[int]] = {}
    counted = apps.get_model("runs", "Attempt").objects.filter(usage__isnull=False, is_counted=True)
    for run_id, usage in counted.order_by().values_list("run_id", "usage").iterator():
        if isinstance(usage, dict) and usage:
            used = (1, *(int(_number(usage.get(name))) for name in NAMES[1:3]), round(_number(usage.get("cost")) * 10**9))
            before = sums.get(run_id, [0, 0, 0, 0])
            sums[run_id] = [min(one + more, 10**16) for one, more in zip(before, used, strict=True)]
    rows = apps.get_model("runs", "RunUsage")
    made = (rows(run_id=run_id, **dict(zip(NAMES, used, strict=True))) for run_id, used in sums.items())
    rows.objects.bulk_create(made, batch_size=500)


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return Decimal(0)
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return min(number, Decimal(10**15)) if number.is_finite() and number > 0 else Decimal(0)


class Migration(migrations.Migration):
    dependencies = [("runs", "0027_usage_by_the_hour")]

    operations = [
        migrations.CreateModel(
            name="RunUsage",
            fields=[
                ("run", models.OneToOneField(
                    db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True,
                    related_name="usage", serialize=False, to="runs.run")),
                ("attempts", models.BigIntegerField(default=0)),
                ("input_tokens", models.BigIntegerField(default=0)),
                ("output_tokens", models.BigIntegerField(default=0)),
                ("cost", models.BigIntegerField(default=0, help_text="In billionths.")),
            ],
            options={"ordering": ("run",)},
        ),
        migrations.RunPython(add_up, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                models.OrderBy(runs.models.run.Took(), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("finished_at__isnull", False), ("started_at__isnull", False)),
                name="run_by_duration",
            ),
        ),
        migrations.AddIndex(
            model_name="runusage",
            index=models.Index(
                models.OrderBy(
                    django.db.models.expressions.CombinedExpression(
                        models.F("input_tokens"), "+", models.F("output_tokens")
                    ),
                    descending=True,
                ),
                models.OrderBy(models.F("run"), descending=True),
                name="usage_by_tokens",
            ),
        ),
        migrations.AddIndex(
            model_name="runusage",
            index=models.Index(
                models.OrderBy(models.F("cost"), descending=True),
                models.OrderBy(models.F("run"), descending=True),
                name="usage_by_cost",
            ),
        ),
    ]  # fmt: skip
