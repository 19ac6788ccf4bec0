"""Totals and receipts of events are written without a look-up of name, profile and workspace for each row."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_audit_log_of_one_subject'),
        ('profiles', '0007_imports_measure_their_work'),
    ]

    operations = [
        migrations.AlterField(
            model_name='customevent',
            name='name',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='profiles.eventname'),
        ),
        migrations.AlterField(
            model_name='customevent',
            name='profile',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='profiles.profile'),
        ),
        migrations.AlterField(
            model_name='eventreceipt',
            name='workspace',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.workspace'),
        ),
    ]
