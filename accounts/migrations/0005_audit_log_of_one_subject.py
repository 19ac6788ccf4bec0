"""A user's page lists what was done to the user."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_rest_key_and_audit_roles")]
    operations = [
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["workspace", "subject", "-id"], name="audit_entry_of_subject"),
        ),
    ]
