"""Administrators delete cohorts; what changed on a day is found by an index."""

from django.db import migrations, models

from accounts import roles


def grant(apps, schema_editor):
    roles.grant(apps, app_label="cohorts", role=roles.ADMINISTRATOR, permissions=["delete_cohort"])


class Migration(migrations.Migration):
    dependencies = [("cohorts", "0005_ignored_cohorts_and_stale_incidents")]
    operations = [
        migrations.AddIndex(
            model_name="cohortdelta",
            index=models.Index(
                fields=["cohort", "created_at"], condition=~models.Q(kind="page"), name="delta_of_day"
            ),
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
