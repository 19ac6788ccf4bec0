"""The partner’s ID, with an apostrophe like all others. No column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cohorts', '0003_handovers_and_latest_move'),
    ]

    operations = [
        migrations.AlterField(
            model_name='cohort',
            name='partner_cohort_id',
            field=models.CharField(max_length=255, verbose_name='partner’s ID'),
        ),
    ]
