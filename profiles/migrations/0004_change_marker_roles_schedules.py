"""Bitmaps are stored uncompressed, updates find room beside their row, roles are granted, jobs are scheduled."""

from django.db import migrations

from accounts import roles

POSTGRESQL = """
    ALTER TABLE profiles_profilechange ALTER COLUMN members SET STORAGE EXTERNAL;
    ALTER TABLE profiles_profile SET (fillfactor = 90);
    ALTER TABLE profiles_customevent SET (fillfactor = 85);
"""
ADMINISTRATOR_MAY = ["change_profile", "delete_profile", "view_importjob", "add_importjob", "change_importjob"]


def tune(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)


def grant(apps, schema_editor):
    roles.grant(apps, app_label="profiles", role=roles.ADMINISTRATOR, permissions=ADMINISTRATOR_MAY)
    roles.grant(apps, app_label="profiles", role=roles.MARKETER, permissions=["view_importjob"])


def schedule(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.get_or_create(
        name="Fold the change marker",
        defaults={"func": "profiles.tasks.tidy_changes", "schedule_type": "I", "minutes": 10},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0003_people_events_imports"),
        ("accounts", "0002_default_workspace_and_roles"),
        ("django_q", "0018_task_success_index"),
    ]
    operations = [
        migrations.RunPython(tune, migrations.RunPython.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
        migrations.RunPython(schedule, migrations.RunPython.noop),
    ]
