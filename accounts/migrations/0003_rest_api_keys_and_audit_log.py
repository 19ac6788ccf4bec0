"""REST API keys, the audit log, and more sources of data points."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_default_workspace_and_roles'),
    ]

    operations = [
        migrations.AlterField(
            model_name='datapointusage',
            name='source',
            field=models.CharField(choices=[('partner_cohorts', 'Partner cohorts'), ('tracking_api', 'REST API'), ('csv', 'CSV files'), ('events', 'Event imports')], max_length=20, verbose_name='source'),
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('happened_at', models.DateTimeField(verbose_name='when')),
                ('actor_key', models.CharField(blank=True, default='', help_text='Its prefix.', max_length=11, verbose_name='key')),
                ('action', models.CharField(choices=[('rest_key_created', 'REST API key created'), ('rest_key_invalidated', 'REST API key invalidated'), ('import_key_created', 'Data import key created'), ('import_key_invalidated', 'Data import key invalidated'), ('user_edited', 'User edited'), ('user_alias_added', 'Alias added to user'), ('user_identified', 'User identified'), ('user_renamed', 'External ID of user changed'), ('users_merged', 'Users merged'), ('user_downloaded', 'Data of user downloaded'), ('user_erased', 'User erased')], max_length=30, verbose_name='what')),
                ('subject', models.CharField(max_length=100, verbose_name='of what')),
                ('detail', models.JSONField(default=dict, verbose_name='details')),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.workspace')),
            ],
            options={
                'verbose_name': 'audit log entry',
                'verbose_name_plural': 'audit log',
                'indexes': [models.Index(fields=['workspace', '-id'], name='audit_entry_newest_first')],
            },
        ),
        migrations.CreateModel(
            name='RestApiKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('prefix', models.CharField(db_index=True, max_length=11, verbose_name='begins with')),
                ('digest', models.CharField(help_text='SHA-256 of the key, in hexadecimal.', max_length=64, unique=True)),
                ('label', models.CharField(blank=True, default='', max_length=100, verbose_name='label')),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('last_used_at', models.DateTimeField(null=True, verbose_name='last used')),
                ('invalidated_at', models.DateTimeField(null=True, verbose_name='invalidated')),
                ('scopes', models.JSONField(help_text='Values of Scope, in its order.', verbose_name='scopes')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='created by')),
                ('invalidated_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='invalidated by')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.workspace')),
            ],
            options={
                'verbose_name': 'REST API key',
                'verbose_name_plural': 'REST API keys',
                'constraints': [models.CheckConstraint(condition=models.Q(('scopes', []), _negated=True), name='rest_api_key_opens_something')],
            },
        ),
    ]
