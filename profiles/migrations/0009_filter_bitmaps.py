"""Filter bitmaps, of which the set of all live profiles is one, and the work of evicting them."""

import django.db.models.deletion
from django.db import migrations, models


def tune(apps, schema_editor):
    """Store bitmaps as they are: compression costs 90 ms per 1.25 MB."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE profiles_filterbitmap ALTER COLUMN members SET STORAGE EXTERNAL")


def schedule(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.get_or_create(
        name="Evict filter bitmaps",
        defaults={"func": "profiles.tasks.evict_filter_bitmaps", "schedule_type": "H"},
    )


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_words_of_the_audit_log'),
        ('django_q', '0018_task_success_index'),
        ('profiles', '0008_events_without_a_check_per_row'),
    ]

    operations = [
        migrations.CreateModel(
            name='FilterBitmap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.BinaryField(max_length=16)),
                ('members', models.BinaryField()),
                ('size_bytes', models.PositiveIntegerField(default=0)),
                ('as_of', models.DateTimeField()),
                ('used_at', models.DateTimeField()),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
            ],
            options={
                'verbose_name': 'filter bitmap',
                'verbose_name_plural': 'filter bitmaps',
            },
        ),
        migrations.DeleteModel(
            name='Universe',
        ),
        migrations.AddIndex(
            model_name='filterbitmap',
            index=models.Index(fields=['used_at'], name='filter_bitmap_used'),
        ),
        migrations.AddConstraint(
            model_name='filterbitmap',
            constraint=models.UniqueConstraint(fields=('workspace', 'digest'), name='filter_bitmap_once'),
        ),
        migrations.RunPython(tune, migrations.RunPython.noop),
        migrations.RunPython(schedule, migrations.RunPython.noop),
    ]
