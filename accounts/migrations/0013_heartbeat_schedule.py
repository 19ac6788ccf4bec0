"""The worker beats once a minute, by a job of the queue it works on."""

from django.db import migrations


def schedule(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.get_or_create(
        name="Heartbeat of the worker",
        defaults={
            "func": "accounts.tasks.beat",
            "schedule_type": "I",
            "minutes": 1,
            # Its results would push those of the nightly jobs out of the few hundred that are kept.
            "kwargs": "{'q_options': {'save': False}}",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_data_points_roles_and_schedule"),
        ("django_q", "0018_task_success_index"),
    ]
    operations = [migrations.RunPython(schedule, migrations.RunPython.noop)]
