"""Notices are claimed before they are sent, roles may see data points, and allotments are looked at every 15 minutes."""

from django.db import migrations, models
from django.utils import timezone

from accounts import roles

SEES = ["view_datapointusage", "view_allotment"]
CHANGES = ["change_allotment"]


def grant(apps, schema_editor):
    roles.grant(apps, app_label="accounts", role=roles.ADMINISTRATOR, permissions=[*SEES, *CHANGES])
    roles.grant(apps, app_label="accounts", role=roles.MARKETER, permissions=SEES)


def schedule(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.get_or_create(
        name="Tell of allotments",
        defaults={"func": "accounts.tasks.tell_of_allotments", "schedule_type": "I", "minutes": 15},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_rejected_calls_and_an_append_only_log"),
        ("django_q", "0018_task_success_index"),
    ]
    operations = [
        migrations.AddField(
            "allotmentnotice",
            "claimed_at",
            models.DateTimeField(default=timezone.now),
            preserve_default=False,
        ),
        migrations.AlterField("allotmentnotice", "sent_at", models.DateTimeField(null=True)),
        migrations.RunPython(grant, migrations.RunPython.noop),
        migrations.RunPython(schedule, migrations.RunPython.noop),
    ]
