"""Questions about a budget name the run whose it is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hitl", "0004_delegated_by")]

    operations = [
        migrations.AddField(
            model_name="question",
            name="budget_of",
            field=models.UUIDField(
                null=True, blank=True, help_text="The run whose budget is spent; an answer grants more, or denies it."
            ),
        ),
        migrations.AddIndex(
            model_name="question",
            index=models.Index(
                fields=["budget_of"], condition=models.Q(budget_of__isnull=False, status="open"), name="question_budget"
            ),
        ),
    ]
