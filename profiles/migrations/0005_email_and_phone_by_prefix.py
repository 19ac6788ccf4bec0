"""Email addresses and phone numbers are found by their beginnings, too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0004_change_marker_roles_schedules"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="profile",
            name="profile_email",
        ),
        migrations.RemoveIndex(
            model_name="profile",
            name="profile_phone",
        ),
        migrations.AddIndex(
            model_name="profile",
            index=models.Index(
                condition=models.Q(("email", ""), _negated=True),
                fields=["workspace", "email"],
                name="profile_email",
                opclasses=("int8_ops", "varchar_pattern_ops"),
            ),
        ),
        migrations.AddIndex(
            model_name="profile",
            index=models.Index(
                condition=models.Q(("phone", ""), _negated=True),
                fields=["workspace", "phone"],
                name="profile_phone",
                opclasses=("int8_ops", "varchar_pattern_ops"),
            ),
        ),
    ]
