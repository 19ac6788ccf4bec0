"""A worker claims an import, faults are written as far as they are committed, lost imports are taken up again."""

from datetime import timedelta

from django.db import migrations, models
from django.utils import timezone


def schedule(apps, schema_editor):
    Schedule = apps.get_model("django_q", "Schedule")
    tonight = timezone.now().replace(hour=3, minute=40, second=0, microsecond=0) + timedelta(days=1)
    Schedule.objects.get_or_create(
        name="Take up lost imports",
        defaults={"func": "profiles.tasks.revive_imports", "schedule_type": "I", "minutes": 1},
    )
    Schedule.objects.get_or_create(
        name="Nightly clean-up of imports",
        defaults={"func": "profiles.tasks.expire_imports", "schedule_type": "D", "next_run": tonight},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0005_email_and_phone_by_prefix"),
        ("django_q", "0018_task_success_index"),
    ]
    operations = [
        migrations.AddField("importjob", "claim", models.UUIDField(editable=False, null=True)),
        migrations.AddField("importjob", "error_bytes", models.PositiveBigIntegerField(default=0)),
        migrations.RunPython(schedule, migrations.RunPython.noop),
    ]
