from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="scope",
            field=models.CharField(
                choices=[("full", "Everything its user may do"), ("read", "Only reading")],
                default="full",
                help_text="One that only reads can change nothing.",
                max_length=10,
            ),
        ),
    ]
