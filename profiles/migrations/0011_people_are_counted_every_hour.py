"""Users are counted every hour."""

from django.db import migrations


def schedule(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.get_or_create(
        name="Count users",
        defaults={"func": "profiles.tasks.count_people", "schedule_type": "H"},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0010_people_counts"),
        ("django_q", "0018_task_success_index"),
    ]
    operations = [migrations.RunPython(schedule, migrations.RunPython.noop)]
