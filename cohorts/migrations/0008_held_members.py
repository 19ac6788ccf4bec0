"""Unmatched members are held where the operator chose so; they join by a job of every minute."""

import django.db.models.deletion
from django.db import migrations, models

# Bytes are compared, as in the table of identifiers that it is joined to.
POSTGRESQL = 'ALTER TABLE cohorts_heldkey ALTER COLUMN key TYPE text COLLATE "C"'


def collate(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)


def schedule(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.get_or_create(
        name="Let held members join", defaults={"func": "cohorts.tasks.join_held", "schedule_type": "I", "minutes": 1}
    )


class Migration(migrations.Migration):

    dependencies = [
        ('cohorts', '0007_stale_cohorts'),
        ('django_q', '0018_task_success_index'),
    ]

    operations = [
        migrations.AddField(
            model_name='cohortdelta',
            name='held_count',
            field=models.PositiveIntegerField(default=0, help_text='Those of the unknown that wait for a user.', verbose_name='held'),
        ),
        migrations.AddField(
            model_name='cohortsync',
            name='held_count',
            field=models.PositiveIntegerField(default=0, help_text='Those of the unknown that wait for a user.', verbose_name='held'),
        ),
        migrations.AlterField(
            model_name='cohortsync',
            name='action',
            field=models.CharField(choices=[('members', 'Full sync'), ('add_members', 'Add members'), ('remove_members', 'Remove members'), ('changes', 'Additions and removals'), ('held', 'Held members joined')], max_length=20, verbose_name='action'),
        ),
        migrations.CreateModel(
            name='HeldSet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('collecting', 'Waits for the pages of its sync'), ('current', 'Waits for users'), ('dropped', 'To be deleted')], max_length=10)),
                ('member_count', models.PositiveIntegerField(default=0)),
                ('checked_as_of', models.DateTimeField(help_text='Since when changed profiles were not compared yet; None for all profiles.', null=True)),
                ('cohort', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='held_sets', to='cohorts.cohort')),
                ('sync', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cohorts.cohortsync')),
            ],
            options={
                'verbose_name': 'held members',
                'verbose_name_plural': 'held members',
            },
        ),
        migrations.CreateModel(
            name='HeldKey',
            fields=[
                ('pk', models.CompositePrimaryKey('key', 'held_set', 'member', 'page', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.TextField()),
                ('member', models.UUIDField()),
                ('page', models.PositiveIntegerField(default=0)),
                ('position', models.PositiveSmallIntegerField()),
                ('held_at', models.DateTimeField()),
                ('held_set', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cohorts.heldset')),
            ],
            options={
                'verbose_name': 'key of a held member',
                'verbose_name_plural': 'keys of held members',
            },
        ),
        migrations.AddConstraint(
            model_name='heldset',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'current')), fields=('cohort',), name='held_set_counts_once'),
        ),
        migrations.AddConstraint(
            model_name='heldset',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'collecting')), fields=('sync',), name='held_set_of_sync_once'),
        ),
        migrations.AddIndex(
            model_name='heldkey',
            index=models.Index(fields=['held_set', 'member'], name='held_key_of_member'),
        ),
        migrations.AddIndex(
            model_name='heldkey',
            index=models.Index(condition=models.Q(('position', 0)), fields=['held_set', 'held_at'], name='held_member_since'),
        ),
        migrations.RunPython(collate, migrations.RunPython.noop),
        migrations.RunPython(schedule, migrations.RunPython.noop),
    ]
