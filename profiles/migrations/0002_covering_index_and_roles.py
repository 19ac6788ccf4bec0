"""On PostgreSQL: identifiers compare by bytes, and their primary key covers the profile's id.

A locale's collation costs half as much again per page (7.3 against 4.7 ms per 1,000 keys at 10 million profiles).
"""

from django.db import migrations

from accounts import roles

POSTGRESQL = """
    ALTER TABLE profiles_identifier ALTER COLUMN key TYPE text COLLATE "C";
    ALTER TABLE profiles_identifier DROP CONSTRAINT profiles_identifier_pkey;
    ALTER TABLE profiles_identifier ADD PRIMARY KEY (workspace_id, key) INCLUDE (profile_id);
    ALTER TABLE profiles_universe ALTER COLUMN members SET STORAGE EXTERNAL;
"""


def tune(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)


def grant(apps, schema_editor):
    for role in (roles.ADMINISTRATOR, roles.MARKETER):
        roles.grant(apps, app_label="profiles", role=role, permissions=["view_profile"])


class Migration(migrations.Migration):
    dependencies = [("profiles", "0001_initial"), ("accounts", "0002_default_workspace_and_roles")]
    operations = [
        migrations.RunPython(tune, migrations.RunPython.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
