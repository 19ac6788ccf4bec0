"""Rejected calls have a cause, administrators read them, and they expire at night; the audit log is for adding alone."""

from datetime import timedelta

from django.db import migrations, models
from django.utils import timezone

from accounts import roles

# No trigger on TRUNCATE, and on SQLite none on DELETE: they are how a whole database is emptied, by Django's `flush`
# too. The ORM refuses both.
LOCK = {
    "postgresql": """
        CREATE FUNCTION accounts_auditentry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'Entries of the audit log are added, and never changed or deleted.'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$;
        CREATE TRIGGER accounts_auditentry_append_only BEFORE UPDATE OR DELETE ON accounts_auditentry
            FOR EACH ROW EXECUTE FUNCTION accounts_auditentry_is_append_only();
    """,
    "sqlite": """
        CREATE TRIGGER accounts_auditentry_append_only BEFORE UPDATE ON accounts_auditentry
        BEGIN
            SELECT RAISE(ABORT, 'Entries of the audit log are added, and never changed or deleted.');
        END;
    """,
}
UNLOCK = {
    "postgresql": """
        DROP TRIGGER accounts_auditentry_append_only ON accounts_auditentry;
        DROP FUNCTION accounts_auditentry_is_append_only();
    """,
    "sqlite": "DROP TRIGGER IF EXISTS accounts_auditentry_append_only;",
}


def lock(apps, schema_editor):
    schema_editor.execute(LOCK[schema_editor.connection.vendor])


def unlock(apps, schema_editor):
    schema_editor.execute(UNLOCK[schema_editor.connection.vendor])


def grant(apps, schema_editor):
    roles.grant(apps, app_label="accounts", role=roles.ADMINISTRATOR, permissions=["view_rejectedcall"])


def schedule(apps, schema_editor):
    Schedule = apps.get_model("django_q", "Schedule")
    tomorrow = timezone.now().replace(hour=3, minute=25, second=0, microsecond=0) + timedelta(days=1)
    Schedule.objects.get_or_create(
        name="Nightly clean-up of rejected calls",
        defaults={"func": "accounts.tasks.forget_rejected_calls", "schedule_type": "D", "next_run": tomorrow},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_member_mapping"),
        ("django_q", "0018_task_success_index"),
    ]
    operations = [
        migrations.AddField(
            model_name="rejectedcall",
            name="cause",
            field=models.CharField(
                choices=[
                    ("unknown_key", "Unknown key"),
                    ("invalidated_key", "Invalidated key"),
                    ("other_partners_key", "Key of another partner"),
                    ("wrong_partner_key", "Wrong partner API key"),
                    ("no_key", "No key"),
                    ("bad_body", "Malformed request"),
                    ("body_too_large", "Too large"),
                    ("not_json", "Not JSON"),
                    ("too_many_calls", "Too many calls"),
                    ("others", "Many more calls"),
                ],
                default="others",
                max_length=20,
                verbose_name="cause",
            ),
            preserve_default=False,
        ),
        migrations.AlterModelOptions(
            name="auditentry",
            options={
                "base_manager_name": "objects",
                "verbose_name": "audit log entry",
                "verbose_name_plural": "audit log",
            },
        ),
        migrations.RunPython(lock, unlock),
        migrations.RunPython(grant, migrations.RunPython.noop),
        migrations.RunPython(schedule, migrations.RunPython.noop),
    ]
