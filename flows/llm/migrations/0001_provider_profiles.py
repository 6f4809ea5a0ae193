from datetime import UTC, datetime
from typing import Any

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


def create_default(apps: Any, schema_editor: Any) -> None:
    """What calls use that name no profile: the scripted provider, until somebody says another one."""
    profiles = apps.get_model("llm", "ProviderProfile")
    profiles.objects.create(id="default", kind="scripted", updated_at=datetime.now(UTC))


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='ProviderProfile',
            fields=[
                ('id', models.CharField(max_length=100, primary_key=True, serialize=False, validators=[django.core.validators.RegexValidator('^[a-z0-9][a-z0-9._-]{0,99}\\Z', 'Use small letters, digits, dots, hyphens and underscores.')])),
                ('kind', models.CharField(choices=[('openai', 'OpenAI wire'), ('ollama', 'Ollama'), ('anthropic', 'Anthropic'), ('scripted', 'Scripted provider')], max_length=20)),
                ('base_uri', models.CharField(blank=True, default='', help_text="As in http://localhost:11434/v1; empty for the vendor's own. A scripted provider with an address is OpenAI's wire there.", max_length=500, verbose_name='base URI')),
                ('default_model', models.CharField(blank=True, default='', max_length=200)),
                ('api_key_env', models.CharField(blank=True, default='', help_text='Name of the environment variable of the workers that holds the secret.', max_length=200, verbose_name='API key variable')),
                ('secret_file', models.CharField(blank=True, default='', help_text='Name of a file in the folder of secrets that holds it.', max_length=500)),
                ('limits', models.JSONField(blank=True, default=dict, help_text='{"concurrency": calls at once over all workers, "timeout_seconds": longest silence, "max_tokens"}')),
                ('extra', models.JSONField(blank=True, default=dict, help_text='{"headers", "body"} sent with each call; for a scripted provider {"scenario"}.')),
                ('updated_at', models.DateTimeField()),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='CallSlot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ticket', models.UUIDField(help_text='Made by who waits.', unique=True)),
                ('worker', models.UUIDField(help_text='Row of the worker that drives the run.')),
                ('run_id', models.UUIDField()),
                ('step', models.CharField(max_length=200)),
                ('asked_at', models.DateTimeField()),
                ('profile', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='slots', to='llm.providerprofile')),
            ],
            options={
                'ordering': ('id',),
                'indexes': [models.Index(fields=['profile', 'id'], name='slot_order')],
            },
        ),
        migrations.RunPython(create_default, migrations.RunPython.noop),
    ]
