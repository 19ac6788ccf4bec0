"""Administrators make REST API keys and read the audit log; marketers do neither."""

from django.db import migrations

from accounts import roles

ADMINISTRATOR_MAY = ["view_restapikey", "add_restapikey", "change_restapikey", "view_auditentry"]


def grant(apps, schema_editor):
    roles.grant(apps, app_label="accounts", role=roles.ADMINISTRATOR, permissions=ADMINISTRATOR_MAY)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_rest_api_keys_and_audit_log")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
