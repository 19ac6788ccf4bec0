"""Both roles build segments."""

from django.db import migrations

from accounts import roles

MAY = ["view_segment", "add_segment", "change_segment", "delete_segment"]


def grant(apps, schema_editor):
    for role in (roles.ADMINISTRATOR, roles.MARKETER):
        roles.grant(apps, app_label="segments", role=role, permissions=MAY)


class Migration(migrations.Migration):
    dependencies = [("segments", "0001_initial"), ("accounts", "0002_default_workspace_and_roles")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
