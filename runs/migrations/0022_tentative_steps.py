"""Steps that a retried failure has left behind may be missing from the way that the run takes then."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0021_claims_by_group")]

    operations = [
        migrations.AddField(
            model_name="step",
            name="is_tentative",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Recorded after a failure that was retried: the run may go without.",
            ),
        ),
    ]
