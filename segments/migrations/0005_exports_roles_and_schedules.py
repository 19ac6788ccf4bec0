"""Exports know whom they hold and how far they came, roles are granted, jobs are scheduled."""

from datetime import timedelta

from django.db import migrations, models
from django.utils import timezone

from accounts import roles

MAY = ["view_segmentexport", "add_segmentexport", "change_segmentexport"]
REMOVAL = [
    ("age", "The file was deleted, as its time was over."),
    ("hand", "A member of the team deleted the file."),
    ("erasure", "The file was deleted, as a user in it was erased."),
]


def tune(apps, schema_editor):
    """Store bitmaps as they are: compression costs 90 ms per 1.25 MB."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE segments_segmentexport ALTER COLUMN members SET STORAGE EXTERNAL")


def grant(apps, schema_editor):
    for role in (roles.ADMINISTRATOR, roles.MARKETER):
        roles.grant(apps, app_label="segments", role=role, permissions=MAY)


def schedule(apps, schema_editor):
    Schedule = apps.get_model("django_q", "Schedule")
    tonight = timezone.now().replace(hour=3, minute=50, second=0, microsecond=0) + timedelta(days=1)
    Schedule.objects.get_or_create(
        name="Take up lost exports",
        defaults={"func": "segments.tasks_exports.revive_exports", "schedule_type": "I", "minutes": 1},
    )
    Schedule.objects.get_or_create(
        name="Nightly clean-up of exports",
        defaults={"func": "segments.tasks_exports.expire_exports", "schedule_type": "D", "next_run": tonight},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("segments", "0004_definitions_of_version_2"),
        ("accounts", "0002_default_workspace_and_roles"),
        ("django_q", "0018_task_success_index"),
    ]
    operations = [
        migrations.AddField("segmentexport", "last_id", models.PositiveIntegerField(default=0, editable=False)),
        migrations.AddField("segmentexport", "members", models.BinaryField(editable=False, null=True)),
        migrations.AddField(
            "segmentexport",
            "removal",
            models.CharField(blank=True, choices=REMOVAL, default="", editable=False, max_length=7),
        ),
        migrations.AddField("segmentexport", "started_at", models.DateTimeField(null=True, verbose_name="started")),
        migrations.AddField("segmentexport", "worked", models.DurationField(default=timedelta)),
        migrations.AlterField(
            "segmentexport", "beat_at", models.DateTimeField(null=True, verbose_name="last sign of life")
        ),
        migrations.RunPython(tune, migrations.RunPython.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
        migrations.RunPython(schedule, migrations.RunPython.noop),
    ]
