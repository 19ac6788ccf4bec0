"""Incidents know when their cohort was heard of last and who mails them, and cohorts are looked after each minute."""

from django.db import migrations, models


def schedule(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.get_or_create(
        name="Look for stale cohorts",
        defaults={"func": "cohorts.tasks.check_freshness", "schedule_type": "I", "minutes": 1},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("cohorts", "0006_cohort_deletion_and_history"),
        ("django_q", "0018_task_success_index"),
    ]
    operations = [
        migrations.AddField(
            model_name="staleincident",
            name="heard_at",
            # There are no incidents yet: nothing looked for them.
            field=models.DateTimeField(
                verbose_name="last sync", help_text="Before it fell silent.", default="1970-01-01T00:00:00Z"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="staleincident",
            name="claimed_at",
            field=models.DateTimeField(null=True, help_text="Since when somebody is mailing it."),
        ),
        migrations.RunPython(schedule, migrations.RunPython.noop),
    ]
