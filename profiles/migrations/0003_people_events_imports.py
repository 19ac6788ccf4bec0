"""More of a profile, what users did, what was changed when, and files that are imported."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_default_workspace_and_roles'),
        ('profiles', '0002_covering_index_and_roles'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='EventName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('custom', 'Custom event'), ('purchase', 'Purchase')], max_length=8, verbose_name='kind')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('currency', models.CharField(blank=True, default='', max_length=3, verbose_name='currency')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.workspace')),
            ],
            options={
                'verbose_name': 'event name',
                'verbose_name_plural': 'event names',
            },
        ),
        migrations.CreateModel(
            name='CustomEvent',
            fields=[
                ('pk', models.CompositePrimaryKey('name', 'profile', blank=True, editable=False, primary_key=True, serialize=False)),
                ('count', models.PositiveBigIntegerField(verbose_name='count')),
                ('first_at', models.DateTimeField(verbose_name='first')),
                ('last_at', models.DateTimeField(verbose_name='last')),
                ('days', models.JSONField(default=dict, verbose_name='per day')),
                ('quantity', models.PositiveBigIntegerField(db_default=0, verbose_name='quantity')),
                ('revenue', models.DecimalField(db_default=0, decimal_places=4, max_digits=24, verbose_name='revenue')),
                ('profile', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='profiles.profile')),
                ('name', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='profiles.eventname')),
            ],
            options={
                'verbose_name': 'event',
                'verbose_name_plural': 'events',
            },
        ),
        migrations.CreateModel(
            name='EventReceipt',
            fields=[
                ('pk', models.CompositePrimaryKey('workspace', 'digest', blank=True, editable=False, primary_key=True, serialize=False)),
                ('digest', models.UUIDField()),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.workspace')),
            ],
            options={
                'verbose_name': 'event receipt',
                'verbose_name_plural': 'event receipts',
            },
        ),
        migrations.CreateModel(
            name='ImportJob',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('csv', 'Users (CSV)'), ('events', 'Events (Mixpanel raw export)')], max_length=10, verbose_name='kind')),
                ('status', models.CharField(choices=[('draft', 'Not started'), ('waiting', 'Waiting'), ('running', 'Running'), ('paused', 'Paused'), ('complete', 'Complete'), ('cancelled', 'Cancelled'), ('failed', 'Failed')], default='draft', max_length=10, verbose_name='status')),
                ('is_dry_run', models.BooleanField(default=False, verbose_name='dry run')),
                ('file', models.FileField(blank=True, max_length=255, upload_to='', verbose_name='file')),
                ('file_name', models.CharField(max_length=255, verbose_name='file name')),
                ('options', models.JSONField(blank=True, default=dict)),
                ('total_bytes', models.PositiveBigIntegerField(default=0, verbose_name='size')),
                ('done_bytes', models.PositiveBigIntegerField(default=0, verbose_name='read')),
                ('counts', models.JSONField(blank=True, default=dict, verbose_name='counts')),
                ('error_file', models.FileField(blank=True, max_length=255, upload_to='', verbose_name='rows at fault')),
                ('last_error', models.CharField(blank=True, default='', max_length=500, verbose_name='last error')),
                ('created_at', models.DateTimeField(verbose_name='uploaded')),
                ('started_at', models.DateTimeField(null=True, verbose_name='started')),
                ('beat_at', models.DateTimeField(null=True, verbose_name='last sign of life')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
            ],
            options={
                'verbose_name': 'import',
                'verbose_name_plural': 'imports',
            },
        ),
        migrations.CreateModel(
            name='ProfileChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('changed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('kind', models.CharField(choices=[('existence', 'Created or erased'), ('attributes', 'Attributes or identifiers'), ('events', 'Events')], max_length=10)),
                ('members', models.BinaryField()),
            ],
            options={
                'verbose_name': 'change',
                'verbose_name_plural': 'changes',
            },
        ),
        migrations.RemoveIndex(
            model_name='profile',
            name='profile_changed',
        ),
        migrations.AddField(
            model_name='profile',
            name='date_of_birth',
            field=models.DateField(blank=True, null=True, verbose_name='date of birth'),
        ),
        migrations.AddField(
            model_name='profile',
            name='email_subscribe',
            field=models.CharField(blank=True, choices=[('opted_in', 'Opted in'), ('subscribed', 'Subscribed'), ('unsubscribed', 'Unsubscribed')], db_default='', max_length=12, verbose_name='email subscription'),
        ),
        migrations.AddField(
            model_name='profile',
            name='first_session_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='first session'),
        ),
        migrations.AddField(
            model_name='profile',
            name='gender',
            field=models.CharField(blank=True, choices=[('M', 'Male'), ('F', 'Female'), ('O', 'Other'), ('N', 'Not applicable'), ('P', 'Prefers not to say')], db_default='', max_length=1, verbose_name='gender'),
        ),
        migrations.AddField(
            model_name='profile',
            name='home_city',
            field=models.CharField(blank=True, db_default='', max_length=255, verbose_name='home city'),
        ),
        migrations.AddField(
            model_name='profile',
            name='last_session_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='last session'),
        ),
        migrations.AddField(
            model_name='profile',
            name='push_subscribe',
            field=models.CharField(blank=True, choices=[('opted_in', 'Opted in'), ('subscribed', 'Subscribed'), ('unsubscribed', 'Unsubscribed')], db_default='', max_length=12, verbose_name='push subscription'),
        ),
        migrations.AddField(
            model_name='profile',
            name='push_tokens',
            field=models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), verbose_name='push tokens'),
        ),
        migrations.AddIndex(
            model_name='profile',
            index=models.Index(fields=['workspace', 'id'], name='profile_of_workspace'),
        ),
        migrations.AddIndex(
            model_name='profile',
            index=models.Index(condition=models.Q(('phone', ''), _negated=True), fields=['workspace', 'phone'], name='profile_phone'),
        ),
        migrations.AddField(
            model_name='importjob',
            name='created_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='started by'),
        ),
        migrations.AddField(
            model_name='importjob',
            name='workspace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.workspace'),
        ),
        migrations.AddField(
            model_name='profilechange',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace'),
        ),
        migrations.AddConstraint(
            model_name='eventname',
            constraint=models.UniqueConstraint(fields=('workspace', 'kind', 'name', 'currency'), name='event_name_once'),
        ),
        migrations.AddConstraint(
            model_name='eventname',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('currency', ''), ('kind', 'custom')), ('kind', 'purchase'), _connector='OR'), name='event_name_currency_of_purchases'),
        ),
        migrations.AddIndex(
            model_name='importjob',
            index=models.Index(fields=['workspace', '-id'], name='import_job_newest'),
        ),
        migrations.AddIndex(
            model_name='profilechange',
            index=models.Index(fields=['workspace', 'changed_at'], name='profile_change_newest'),
        ),
    ]
