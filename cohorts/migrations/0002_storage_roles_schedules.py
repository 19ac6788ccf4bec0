"""Bitmaps are stored uncompressed (compression costs 90 ms per 1.25 MB), roles are granted, jobs are scheduled."""

from datetime import timedelta

from django.db import migrations
from django.utils import timezone

from accounts import roles

POSTGRESQL = """
    ALTER TABLE cohorts_cohort ALTER COLUMN snapshot SET STORAGE EXTERNAL;
    ALTER TABLE cohorts_cohortdelta ALTER COLUMN members SET STORAGE EXTERNAL;
    ALTER TABLE cohorts_cohortdelta ALTER COLUMN "left" SET STORAGE EXTERNAL;
"""


def tune(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)


def grant(apps, schema_editor):
    for role in (roles.ADMINISTRATOR, roles.MARKETER):
        roles.grant(apps, app_label="cohorts", role=role, permissions=["view_cohort", "view_cohortsync"])


def schedule(apps, schema_editor):
    Schedule = apps.get_model("django_q", "Schedule")
    tomorrow = timezone.now().replace(hour=3, minute=10, second=0, microsecond=0) + timedelta(days=1)
    Schedule.objects.get_or_create(
        name="Fold what partners sent", defaults={"func": "cohorts.tasks.compact_idle", "schedule_type": "I", "minutes": 1}
    )
    Schedule.objects.get_or_create(
        # Daily from its first time on: a cron expression would need one more package.
        name="Nightly clean-up", defaults={"func": "cohorts.tasks.clean_up", "schedule_type": "D", "next_run": tomorrow}
    )


class Migration(migrations.Migration):
    dependencies = [
        ("cohorts", "0001_initial"),
        ("accounts", "0002_default_workspace_and_roles"),
        ("django_q", "0018_task_success_index"),
    ]
    operations = [
        migrations.RunPython(tune, migrations.RunPython.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
        migrations.RunPython(schedule, migrations.RunPython.noop),
    ]
