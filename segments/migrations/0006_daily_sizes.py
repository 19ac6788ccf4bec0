"""Each segment begins its versions with what it is, and sizes are noted every night."""

from datetime import timedelta

from django.db import migrations
from django.utils import timezone

BATCH = 500


def begin_versions(apps, schema_editor):
    Segment = apps.get_model("segments", "Segment")
    SegmentVersion = apps.get_model("segments", "SegmentVersion")
    versions = (
        SegmentVersion(
            segment_id=segment.pk,
            number=1,
            definition=segment.definition,
            saved_at=segment.updated_at,
            saved_by_id=segment.updated_by_id,
        )
        for segment in Segment.objects.filter(versions=None).iterator(BATCH)
    )
    SegmentVersion.objects.bulk_create(versions, batch_size=BATCH)


def schedule(apps, schema_editor):
    # Daily from its first time on, as for the other clean-up: a cron expression would need one more package.
    tomorrow = timezone.now().replace(hour=3, minute=40, second=0, microsecond=0) + timedelta(days=1)
    apps.get_model("django_q", "Schedule").objects.get_or_create(
        name="Count segments",
        defaults={"func": "segments.tasks.keep_sizes", "schedule_type": "D", "next_run": tomorrow},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("segments", "0005_exports_roles_and_schedules"),
        ("django_q", "0018_task_success_index"),
    ]
    operations = [
        migrations.RunPython(begin_versions, migrations.RunPython.noop),
        migrations.RunPython(schedule, migrations.RunPython.noop),
    ]
