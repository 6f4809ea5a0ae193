"""What a run and its children may spend, and what each of them has spent."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0024_a_step_alone'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='budget_of',
            field=models.UUIDField(blank=True, help_text='The run whose budget it spends: itself or an ancestor.', null=True),
        ),
        migrations.CreateModel(
            name='Allowance',
            fields=[
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='allowance', serialize=False, to='runs.run')),
                ('limits', models.JSONField(default=dict, help_text='{"tokens": {"soft", "hard"}, ...} as the run was started')),
                ('granted', models.JSONField(blank=True, default=dict, help_text='What people added to the hard limits.')),
                ('warned', models.JSONField(blank=True, default=dict, help_text='The soft limits that were warned of.')),
                ('told', models.JSONField(blank=True, default=dict, help_text='{limit: {run: hard limit}}: where its end was told and people were asked.')),
                ('denied', models.JSONField(blank=True, default=dict, help_text='The hard limits beyond which nothing is granted.')),
                ('starter_may_grant', models.BooleanField(default=False)),
                ('above', models.ForeignKey(blank=True, help_text='What is spent from this one is spent from that one too.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='below', to='runs.allowance')),
            ],
            options={
                'ordering': ('run',),
            },
        ),
        migrations.CreateModel(
            name='Spending',
            fields=[
                ('run_id', models.UUIDField(primary_key=True, serialize=False)),
                ('tokens', models.BigIntegerField(db_default=0, default=0)),
                ('cost', models.BigIntegerField(db_default=0, default=0, help_text='In billionths.')),
                ('steps', models.BigIntegerField(db_default=0, default=0)),
                ('active_ms', models.BigIntegerField(db_default=0, default=0, help_text="Time worked that the run's own row has no more: before a retry.")),
                ('parked', models.CharField(blank=True, default='', help_text='The limit at which the run waits.', max_length=20)),
                ('parked_by', models.UUIDField(blank=True, help_text='The run whose limit that is.', null=True)),
                ('asked', models.UUIDField(blank=True, help_text='The run in whose name people are asked for more.', null=True)),
                ('allowance', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='spendings', to='runs.allowance')),
            ],
            options={
                'ordering': ('run_id',),
                'indexes': [models.Index(condition=models.Q(('parked_by__isnull', False)), fields=['parked_by'], name='spending_parked')],
            },
        ),
    ]
