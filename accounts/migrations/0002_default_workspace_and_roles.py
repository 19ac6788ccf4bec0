"""A freshly migrated database holds one workspace, and the two roles with what they may do here."""

from django.db import migrations

from accounts import roles

ADMINISTRATOR_MAY = [
    "view_user", "add_user", "change_user",
    "view_workspace", "change_workspace",
    "view_membership", "add_membership", "change_membership", "delete_membership",
    "view_integration", "change_integration",
    "view_dataimportkey", "add_dataimportkey", "change_dataimportkey",
    "view_datapointusage",
]


def create(apps, schema_editor):
    apps.get_model("accounts", "Workspace").objects.get_or_create(slug="default", defaults={"name": "Default"})
    roles.grant(apps, app_label="accounts", role=roles.ADMINISTRATOR, permissions=ADMINISTRATOR_MAY)
    roles.grant(apps, app_label="accounts", role=roles.MARKETER, permissions=["view_workspace"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length"), ("contenttypes", "0002_remove_content_type_name")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
