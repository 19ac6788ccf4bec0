"""What workers took for an import tells how fast it is, however long it was paused."""

import datetime

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("profiles", "0006_imports_are_claimed")]
    operations = [
        migrations.AddField("importjob", "worked", models.DurationField(default=datetime.timedelta)),
    ]
